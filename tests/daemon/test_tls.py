"""test_tls.py - TLS on the ports: who is let in, who is not, and certificates that change while connections live on."""
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
from certificates import chain, self_signed
from evdbd import CONFIG_FAILED, PATIENCE, PROGRAM, NotReady, problem
from http_client import Client

ENDPOINTS = ("mcp", "oauth", "rest")
MIB = 1 << 20


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two that have nothing to do with each other."""
    folder = tmp_path_factory.mktemp("certificates")
    return self_signed(folder / "first"), self_signed(folder / "second", kind="rsa")


@pytest.fixture
def used(certificates, tmp_path):
    """A copy of the first, to be changed."""
    own = self_signed(tmp_path / "used")
    own.copy(certificates[0])
    return own


@pytest.fixture
def server(start, used):
    return start("--dev", *used.flags(), tls=used.client())


def shown(server, endpoint="rest"):
    """The certificate that a new connection sees."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = Client(server.ports[endpoint], tls=context)
    try:
        return client.socket.getpeercert(binary_form=True)
    finally:
        client.close()


def client_hello(context):
    """The first message of a handshake."""
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


# ---- who is let in

@pytest.mark.threaded
def test_every_port_speaks_tls(server):
    assert server.request("GET", "/api/v1/stores").status == 200  # and the token's port
    assert server.ask("GET", "/healthz", endpoint="mcp").status == 200
    for endpoint in ENDPOINTS:
        client = server.client(endpoint)
        assert client.socket.version() == "TLSv1.3" and client.socket.selected_alpn_protocol() is None
        assert [client.ask("GET", "/healthz").status for _ in range(20)] == [200] * 20
    assert "expires" in server.wait_for("all ports speak TLS")


def test_curl_trusts_a_chain_by_its_root_alone(start, tmp_path):
    root, leaf = chain(tmp_path / "leaf")
    server = start("--dev", *leaf.flags(), tls=root.client())
    for version in ("--tls-max 1.2", ""):
        done = subprocess.run(["curl", "-sS", *version.split(), "--cacert", root.file, f"https://localhost:{server.ports['rest']}/healthz"],
                              capture_output=True, text=True, timeout=PATIENCE)
        assert (done.stdout, done.stderr) == ('{"status":"ok"}', "")


@pytest.mark.parametrize("which", [0, 1], ids=["ECDSA", "RSA"])
def test_both_versions_are_spoken_with_either_kind_of_key(start, certificates, which):
    used = certificates[which]
    server = start("--dev", *used.flags(), tls=used.client())
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        server.tls = used.client()
        server.tls.minimum_version = server.tls.maximum_version = version
        client = server.client()
        assert client.ask("GET", "/healthz").status == 200
        assert client.socket.version() == version.name.replace("_", ".")
        assert "GCM" in client.socket.cipher()[0] or "CHACHA20" in client.socket.cipher()[0]


@pytest.mark.parametrize("version,ciphers", [
    (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"), (ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"),
    (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256:AES256-SHA"),  # no fresh key exchange
    (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA"),  # CBC
], ids=["TLS 1.1", "TLS 1.0", "RSA key exchange", "CBC"])
def test_what_is_weak_is_refused(start, certificates, version, ciphers):
    used = certificates[1]
    server = start("--dev", *used.flags(), tls=used.client())
    context = used.client()
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    with pytest.raises(OSError):  # an ssl.SSLError is one
        Client(server.ports["rest"], tls=context)
    assert server.ask("GET", "/healthz").status == 200


def test_a_client_of_tls_1_2_cannot_ask_for_another_handshake(start, certificates):
    used = certificates[1]
    server = start("--dev", *used.flags(), tls=used.client())
    words = ["openssl", "s_client", "-tls1_2", "-legacy_renegotiation", "-connect", f"127.0.0.1:{server.ports['rest']}", "-CAfile", used.file]
    done = subprocess.run(words, input=b"R\nGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n", capture_output=True, timeout=PATIENCE)
    assert b"RENEGOTIATING" in done.stdout + done.stderr and b"200 OK" not in done.stdout


@pytest.mark.threaded
def test_plain_http_is_told_so_and_disturbs_nobody(server):
    healthy = server.client()
    for endpoint in ENDPOINTS:
        for request in (b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20000):
            client = Client(server.ports[endpoint])
            reply = client.send(request).reply()
            assert "https" in problem(reply, 400)["detail"]
            assert client.closed_within(PATIENCE)
            assert healthy.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("junk", [b"\0" * 600, b"\x16\x03\x01\xff\xff" + b"\1" * 600, b"\x80\x2e\x01\0\2" + b"\0" * 41, b"SSH-2.0-x\r\n", b"\xff"])
def test_what_is_no_tls_is_closed_and_disturbs_nobody(start, used, junk):
    server = start("--dev", *used.flags(), "--request-timeout=1s", tls=used.client())
    healthy = server.client()
    clients = [Client(server.ports["rest"]).send(junk) for _ in range(5)]
    assert healthy.ask("GET", "/healthz").status == 200
    assert all(client.closed_within(PATIENCE) for client in clients)
    assert server.ask("GET", "/healthz").status == 200


# ---- handshakes that never end

@pytest.mark.threaded
def test_half_open_handshakes_keep_nobody_out_and_end(start, used):
    server = start("--dev", *used.flags(), "--request-timeout=2s", "--idle-timeout=2s", tls=used.client())
    hello = client_hello(used.client())
    kept = server.client()
    parts = (b"", hello[:1], hello[:len(hello) // 2], hello, hello)
    half = [Client(server.ports["rest"]).send(parts[i % len(parts)]) for i in range(50)]
    for _ in range(20):
        assert kept.ask("GET", "/healthz").status == 200
        assert server.ask("GET", "/healthz").status == 200
    assert all(client.closed_within(PATIENCE) for client in half)
    assert server.ask("GET", "/healthz").status == 200


def wakings(server):
    """How often its threads have slept so far."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/status")
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", task.read_text(), re.M)[1]) for task in tasks)


def test_nobody_keeps_asking_whether_a_half_open_handshake_goes_on(server, used):
    half = [Client(server.ports["rest"]).send(part) for part in (client_hello(used.client()), client_hello(used.client())[:100])]
    assert half[0].socket.recv(1)  # the server has answered, and waits
    assert server.ask("GET", "/healthz").status == 200  # wakes the officer of the crew, who sleeps again unless there is work
    assert not half[0].closed_within(0.5)
    before, began = wakings(server), time.monotonic()
    assert not half[0].closed_within(2)
    rate = (wakings(server) - before) / (time.monotonic() - began)
    assert rate < 50, rate  # four times a second by two threads, else by none; libmicrohttpd by itself is run each millisecond


def test_a_handshake_a_byte_at_a_time_is_cut_off(start, used):
    server = start("--dev", *used.flags(), "--request-timeout=1s", tls=used.client())
    slow, healthy = Client(server.ports["rest"]), server.client()
    for byte in client_hello(used.client())[:-1]:
        try:
            slow.socket.send(bytes([byte]))
        except ConnectionError:
            break
        if slow.closed_within(0.05):
            break
        assert healthy.ask("GET", "/healthz").status == 200
    else:
        pytest.fail("it was never closed")


def test_a_handshake_does_not_count_against_the_request_behind_it(start, used):
    server = start("--dev", *used.flags(), "--request-timeout=2s", "--idle-timeout=30s", tls=used.client())
    client = server.client()
    assert not client.closed_within(4)
    client.send(b"GET /healthz HTTP/1.1\r\n")
    assert not client.closed_within(0.5)
    assert client.send(b"Host: t\r\n\r\n").reply().status == 200


def test_a_half_open_handshake_does_not_hold_up_the_end(server, used):
    half = [Client(server.ports["oauth"]).send(client_hello(used.client())) for _ in range(3)]
    assert all(client.socket.recv(1) for client in half)
    server.signal()
    assert server.process.wait(PATIENCE / 2) == 0  # request_timeout is 60 s
    assert all(client.closed_within(PATIENCE) for client in half)


# ---- large ones

@pytest.mark.threaded
def test_a_large_body_comes_and_a_large_answer_goes(start, used, rng):
    server = start("--dev", *used.flags(), f"--max-body={40 * MIB}", tls=used.client())
    body = b"".join(struct.pack("<i", 1024) + struct.pack("<1024f", *[rng.random()] * 1024) for _ in range(8192))
    assert len(body) > 32 * MIB
    assert server.request("POST", "/api/v1/stores", {"name": "s", "dim": 1024, "metric": "euclidean"}).status == 201
    headers = [f"Authorization: Bearer {server.token()}", "Content-Type: application/octet-stream"]
    client = server.client()
    assert json.loads(client.ask("POST", "/api/v1/stores/s/import?format=fvecs", body, headers).body)["written"] == 8192
    reply = client.ask("GET", "/api/v1/stores/s/export?format=fvecs", headers=headers)
    assert reply.status == 200 and hashlib.sha256(reply.body).digest() == hashlib.sha256(body).digest()
    assert client.ask("GET", "/healthz").status == 200


# ---- certificates that change

@pytest.mark.threaded
@pytest.mark.parametrize("how", ["SIGHUP", "by itself"])
def test_a_new_certificate_is_taken_up_while_connections_live_on(server, used, certificates, how):
    first, second = certificates
    old = [server.client(endpoint) for endpoint in ENDPOINTS]
    assert all(shown(server, endpoint) == first.der() for endpoint in ENDPOINTS)
    used.copy(second)
    if how == "SIGHUP":
        server.signal(signal.SIGHUP)
    entry = server.wait_for("the certificate was loaded again")
    assert entry["level"] == "info" and entry["expires"]
    assert all(shown(server, endpoint) == second.der() for endpoint in ENDPOINTS)
    for client in old:
        assert client.socket.getpeercert(binary_form=True) == first.der()
        assert client.ask("GET", "/healthz").status == 200
    server.tls = second.client()
    assert server.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("how", ["SIGHUP", "by itself"])
@pytest.mark.parametrize("damage", ["cut", "gone", "another key", "open"])
def test_a_broken_file_leaves_the_certificate_of_before(server, used, certificates, how, damage):
    if damage == "cut":
        used.file.write_text(used.file.read_text()[:300])
    elif damage == "gone":
        used.file.unlink()
    elif damage == "another key":
        used.key.write_bytes(certificates[1].key.read_bytes())
    else:
        used.key.chmod(0o644)
    if how == "SIGHUP":
        server.signal(signal.SIGHUP)
    entry = server.wait_for("cannot use the certificate that is there: the one before stays")
    assert entry["level"] == "error" and str(used.key if damage in ("another key", "open") else used.file) in entry["detail"]
    assert shown(server) == certificates[0].der()
    used.copy(certificates[1])
    server.wait_for("the certificate was loaded again")
    assert shown(server) == certificates[1].der()
    assert [entry["message"] for entry in server.log].count("cannot use the certificate that is there: the one before stays") <= 2


@pytest.mark.threaded
def test_handshakes_go_on_while_the_certificate_changes_again_and_again(server, used, certificates):
    ends, failed, done = [certificate.der() for certificate in certificates], [], threading.Event()

    def ask():
        while not done.is_set():
            try:
                assert shown(server) in ends
            except (OSError, AssertionError) as error:
                failed.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        used.copy(certificates[turn % 2])
        loaded = [entry["message"] for entry in server.log].count("the certificate was loaded again")
        server.signal(signal.SIGHUP)
        with server.changed:
            assert server.changed.wait_for(lambda: [e["message"] for e in server.log].count("the certificate was loaded again") > loaded, PATIENCE)
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []


# ---- what is refused at start

def refused(start, *flags):
    with pytest.raises(NotReady) as caught:
        start("--dev", *flags)
    assert caught.value.status == CONFIG_FAILED
    checked = subprocess.run([PROGRAM, "--check-config", *map(str, flags)], capture_output=True, text=True, timeout=PATIENCE)
    assert checked.returncode == CONFIG_FAILED and checked.stderr.strip() == caught.value.detail
    return caught.value.detail


def test_files_that_cannot_be_used_are_refused_at_start(start, certificates, tmp_path):
    first, second = certificates
    text, empty, encrypted = tmp_path / "text", tmp_path / "empty", tmp_path / "encrypted"
    text.write_text("no certificate\n")
    empty.touch()
    subprocess.run(["openssl", "ec", "-in", first.key, "-aes128", "-passout", "pass:secret", "-out", encrypted], check=True, capture_output=True)
    for path in (text, empty, encrypted):
        path.chmod(0o600)

    def said(certificate, key):
        return refused(start, f"--tls-cert-file={certificate}", f"--tls-key-file={key}")

    assert said(first.file, second.key) == f"evdbd: {second.key}: is not the key of the first certificate in {first.file}"
    for path, why in ((text, "no certificates"), (empty, "no certificates"), (tmp_path, "no regular file"), (tmp_path / "none", "No such file"),
                      (first.key, "no certificates")):
        assert said(path, first.key).startswith(f"evdbd: {path}: ") and why in said(path, first.key)
    for path, why in ((text, "no private key"), (empty, "no private key"), (tmp_path, "no regular file"), (tmp_path / "none", "No such file"),
                      (encrypted, "encrypted")):
        assert said(first.file, path).startswith(f"evdbd: {path}: ") and why in said(first.file, path)


@pytest.mark.parametrize("mode,owner,good", [(0o600, "own", True), (0o400, "own", True), (0o640, "root", True), (0o660, "root", False),
                                             (0o644, "root", False), (0o601, "root", False), (0o640, "other", False), (0o600, "other", True)])
def test_a_key_is_for_its_owner_alone(start, used, mode, owner, good):
    if owner != "own" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    used.key.chmod(mode)
    if owner != "own":
        os.chown(used.key, 0 if owner == "root" else 12345, 54321)
    if good:
        assert start("--dev", *used.flags(), tls=used.client()).ask("GET", "/healthz").status == 200
    else:
        assert f"{used.key}: the key is open to others (mode {mode:04o})" in refused(start, *used.flags())


def test_off_loopback_needs_tls_or_a_word(start, used):
    with pytest.raises(NotReady) as caught:
        start("--address=0.0.0.0")
    assert caught.value.status == CONFIG_FAILED
    assert all(name in caught.value.detail for name in ("tls_cert_file", "tls_key_file", "allow_plaintext"))
    assert start("--address=0.0.0.0", *used.flags(), tls=used.client()).ask("GET", "/healthz").status == 200


def test_connections_leave_nothing_behind(start, used):
    """Descriptors, and memory: more of it after as many connections again would be a leak."""
    freed_at_once = {"ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}
    server = start("--dev", *used.flags(), tls=used.client(), env=freed_at_once)

    def resident():
        return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])

    hello = client_hello(used.client())

    def round_of(count):
        for i in range(count):
            assert server.ask("GET", "/healthz").status == 200
            half = socket.create_connection(("127.0.0.1", server.ports["rest"]))
            half.sendall(hello if i % 2 else b"GET / HTTP/1.1\r\n\r\n")
            half.recv(1)
            half.close()
        return resident()

    settled, later = round_of(300), round_of(600)
    assert (later - settled) * os.sysconf("SC_PAGE_SIZE") < 600 * 2048  # a session takes many times that
    ended = server.client()  # behind the others
    assert ended.ask("GET", "/healthz").status == 200
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < 60
