"""tls.py - has testssl.sh and sslyze look at a TLS port of evdbd.

    tls.py BUILD        installs sslyze below BUILD/judges, starts evdbd, runs each

One that is not there and cannot be installed has not been asked: it is counted as not run, never as passed."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "daemon"))
from judges import install  # noqa: E402

SSLYZE = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}", "sslyze==6.3.1"]
OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")
OLD_IDS = ("SSLv2", "SSLv3", "TLS1", "TLS1_1")
BAD = ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
TIME_LIMIT = 900


def sslyze(at, folder, port, root):
    """What is wrong; None when it could not be asked."""
    if not install({"install": SSLYZE}, at):
        return None
    out = folder / "sslyze.json"
    subprocess.run([sys.executable, "-m", "sslyze", f"--certinfo_ca_file={root.file}", f"--json_out={out}",
                    f"localhost:{port}"], env={**os.environ, "PYTHONPATH": str(at), "PYTHONWARNINGS": "ignore"}, stdout=subprocess.DEVNULL, timeout=TIME_LIMIT)  # its status is about Mozilla's list
    scan = json.loads(out.read_text())["server_scan_results"][0]["scan_result"]

    def of(name):
        assert scan[name]["status"] == "COMPLETED", f"{name}: {scan[name]}"
        return scan[name]["result"]

    def spoken(version):
        return [suite["cipher_suite"]["name"] for suite in of(f"{version}_cipher_suites")["accepted_cipher_suites"]]

    assert spoken("tls_1_2") and spoken("tls_1_3")
    wrong = [f"{version} is spoken" for version in OLD if spoken(version)]
    wrong += [f"{name} is taken" for version in ("tls_1_2", "tls_1_3") for name in spoken(version)
              if "GCM" not in name and "CHACHA20" not in name or version == "tls_1_2" and "ECDHE" not in name]
    renegotiation = of("session_renegotiation")
    faults = {"compression": of("tls_compression")["supports_compression"], "ROBOT": "NOT_VULNERABLE" not in of("robot")["robot_result"],
              "CCS injection": of("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"],
              "Heartbleed": of("heartbleed")["is_vulnerable_to_heartbleed"],
              "no SCSV": not of("tls_fallback_scsv")["supports_fallback_scsv"],
              "no extended master secret": not of("tls_extended_master_secret")["supports_ems_extension"],
              "renegotiation by clients": renegotiation["is_vulnerable_to_client_renegotiation_dos"],
              "insecure renegotiation": not renegotiation["supports_secure_renegotiation"]}
    return wrong + [name for name, there in faults.items() if there]


def testssl(folder, port, root):
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if not program:
        return None
    out = folder / "testssl.json"
    words = [program, "--warnings", "off", "--color", "0", "--jsonfile", out, "-p", "-s", "-f", "-P", "-S", "-U", f"localhost:{port}"]
    subprocess.run(words, env={**os.environ, "ADDITIONAL_CA_FILES": str(root.file)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=TIME_LIMIT)  # its status counts findings
    found = {finding["id"]: finding for finding in json.loads(out.read_text())}
    assert found["TLS1_2"]["severity"] == found["TLS1_3"]["severity"] == "OK" and "heartbleed" in found and "ROBOT" in found
    wrong = [f"{name} is spoken" for name in OLD_IDS if "not offered" not in found[name]["finding"]]
    # The certificate is one of a test: nobody revokes it, and it is short-lived. Whether a client may renegotiate it tells by whether
    # openssl ends in time, which on a busy machine it may not: sslyze, and test_tls.py, see that the connection is closed.
    return wrong + [f"{name}: {finding['severity']} {finding['finding']}" for name, finding in found.items()
                    if finding["severity"] in BAD and not name.startswith("cert_") and name != "secure_client_renego"]


def main(build):
    os.environ["EVDB_BUILD"] = str(build)
    from certificates import chain, self_signed
    from evdbd import Server

    passed = failed = missing = 0
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        root, rsa = chain(folder / "rsa")
        ec = self_signed(folder / "ec")
        for kind, shown, trusted in (("RSA", rsa, root), ("ECDSA", ec, ec)):
            at = folder / kind
            at.mkdir()
            server = Server(at / "data", "--dev", *shown.flags())
            try:
                port = server.ports["rest"]
                for name, wrong in (("sslyze 6.3.1", sslyze(build / "judges/sslyze", at, port, trusted)), ("testssl.sh", testssl(at, port, trusted))):
                    print(f"{name}, {kind}: {'not run' if wrong is None else 'nothing is wrong' if not wrong else '; '.join(wrong)}", flush=True)
                    passed, failed, missing = passed + (wrong == []), failed + bool(wrong), missing + (wrong is None)
            finally:
                server.stop()
    if missing:
        print(f"{missing} not run")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
