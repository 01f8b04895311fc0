"""judges.py - lets the official MCP clients, and clients of OAuth, talk to `evdb mcp` and evdbd.

    judges.py BUILD        installs the clients below BUILD/judges, starts evdbd, runs each dialogue

A client that cannot be installed has not been asked: it is counted as not run, never as passed."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "mcp"))

CLIENTS = {
    "PyPI mcp 2.3.0": {
        "install": [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}", "mcp==2.3.0"],
        "run": [sys.executable, HERE / "dialogue.py"], "env": {"PYTHONPATH": "{at}"}, "dialogues": 4},
    "PyPI PyJWT 2.10.1": {
        "install": [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}", "PyJWT[crypto]==2.10.1"],
        "run": [sys.executable, HERE / "tokens.py"], "env": {"PYTHONPATH": "{at}"}, "dialogues": 3},
    "npm @modelcontextprotocol/sdk 1.32.2": {
        "install": ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "{at}", "-E", "@modelcontextprotocol/sdk@1.32.2"],
        "run": ["node", HERE / "dialogue.mjs"], "env": {"EVDB_JUDGES": "{at}"}, "dialogues": 2},
    "PyPI Authlib 1.9.10": {
        "install": [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}", "Authlib==1.9.10", "requests"],
        "run": [sys.executable, HERE / "assertions.py"], "env": {"PYTHONPATH": "{at}"}, "dialogues": 3},
}


def install(client, at):
    done = at / "installed"
    if done.exists():
        return True
    at.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([str(word).format(at=at) for word in client["install"]], check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        print(getattr(error, "stderr", None) or error)
        return False
    done.touch()
    return True


def ask(client, at, server):
    """How many dialogues went as they should."""
    environment = {**os.environ, **{name: value.format(at=at) for name, value in client["env"].items()}, **server}
    done = subprocess.run(client["run"], env=environment, stdout=subprocess.PIPE, text=True, timeout=600)
    print(done.stdout, end="")
    return len(done.stdout.splitlines()) if done.returncode == 0 else min(len(done.stdout.splitlines()), client["dialogues"] - 1)


def main(build):
    os.environ["EVDB_BUILD"] = str(build)
    from mcp_peers import Daemon

    passed = failed = missing = 0
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(directory)
        server = {"EVDB": str(build / "evdb"), "EVDB_MCP_URL": f"http://127.0.0.1:{daemon.ports['mcp']}/mcp",
                  "EVDB_JWKS_URL": f"http://127.0.0.1:{daemon.ports['oauth']}/oauth/jwks", "EVDB_TOKEN": daemon.token("read write"), "TMPDIR": directory,
                  "EVDB_REST": f"http://127.0.0.1:{daemon.ports['rest']}", "EVDB_OAUTH": f"http://127.0.0.1:{daemon.ports['oauth']}",
                  "EVDB_ADMIN_TOKEN": daemon.token("admin")}
        for name, client in CLIENTS.items():
            at = build / "judges" / name.replace("/", "-").replace(" ", "-")
            if not install(client, at):
                print(f"{name}: not run")
                missing += client["dialogues"]
                continue
            good = ask(client, at, server)
            print(f"{name}: {good} of {client['dialogues']} dialogues")
            passed, failed = passed + good, failed + client["dialogues"] - good
        daemon.stop()
    print(f"{passed} passed, {failed} failed, {missing} skipped")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
