"""judges.py - lets other people's clients talk to `evdb mcp` and evdbd: those of MCP, and those of OAuth 2.1.

    judges.py BUILD [MATCH]        installs the clients below BUILD/judges, starts evdbd, runs each dialogue

A client that cannot be installed has not been asked: it is counted as not run, never as passed."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "mcp"))
PIP = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", "{at}"]
NPM = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "{at}", "-E"]
PYTHON, NODE = {"PYTHONPATH": "{at}"}, {"EVDB_JUDGES": "{at}"}

# Which server they ask, how they are installed and run, and how many dialogues there are: a line of output each.
CLIENTS = {
    "PyPI mcp 2.3.0": {"server": "mcp", "install": [*PIP, "mcp==2.3.0"], "run": [sys.executable, HERE / "mcp/dialogue.py"], "env": PYTHON,
                       "dialogues": 4},
    "npm @modelcontextprotocol/sdk 1.32.2": {"server": "mcp", "install": [*NPM, "@modelcontextprotocol/sdk@1.32.2"],
                                             "run": ["node", HERE / "mcp/dialogue.mjs"], "env": NODE, "dialogues": 2},
    "npm oauth4webapi 3.8.8": {"server": "oauth", "install": [*NPM, "oauth4webapi@3.8.8"], "run": ["node", HERE / "oauth/oauth4webapi.mjs"],
                               "env": NODE, "dialogues": 14},
    "npm openid-client 6.9.0": {"server": "oauth", "install": [*NPM, "openid-client@6.9.0"], "run": ["node", HERE / "oauth/openid_client.mjs"],
                                "env": NODE, "dialogues": 9},
    "PyPI Authlib 1.9.10": {"server": "oauth", "install": [*PIP, "Authlib==1.9.10", "requests"],
                            "run": [sys.executable, HERE / "oauth/authlib_client.py"], "env": PYTHON, "dialogues": 9},
    "PyPI requests-oauthlib 2.0.0": {"server": "oauth", "install": [*PIP, "requests-oauthlib==2.0.0"],
                                     "run": [sys.executable, HERE / "oauth/requests_oauthlib_client.py"], "env": PYTHON, "dialogues": 5},
    "PyPI PyJWT 2.10.1": {"server": "oauth", "install": [*PIP, "PyJWT[crypto]==2.10.1"],
                          "run": [sys.executable, HERE / "oauth/pyjwt_reader.py"], "env": PYTHON, "dialogues": 3},
    "Go golang.org/x/oauth2 0.38.0": {"server": "oauth", "source": HERE / "oauth/xoauth2", "install": ["go", "build", "-o", "judge", "."],
                                      "run": ["{at}/judge"], "env": {}, "dialogues": 5},
}


def install(client, at):
    done = at / "installed"
    if done.exists():
        return True
    at.mkdir(parents=True, exist_ok=True)
    if "source" in client:
        shutil.copytree(client["source"], at, dirs_exist_ok=True)
    try:
        subprocess.run([str(word).format(at=at) for word in client["install"]], check=True, capture_output=True, timeout=600, cwd=at)
    except (OSError, subprocess.SubprocessError) as error:
        print(getattr(error, "stderr", None) or error)
        return False
    done.touch()
    return True


def ask(client, at, server):
    """How many dialogues went as they should."""
    environment = {**os.environ, **{name: value.format(at=at) for name, value in client["env"].items()}, **server}
    done = subprocess.run([str(word).format(at=at) for word in client["run"]], env=environment, stdout=subprocess.PIPE, text=True, timeout=600)
    print(done.stdout, end="")
    return len(done.stdout.splitlines()) if done.returncode == 0 else min(len(done.stdout.splitlines()), client["dialogues"] - 1)


def main(build, match=""):
    os.environ["EVDB_BUILD"] = str(build)
    from mcp_server import McpServer
    from oauth_server import OauthServer

    passed = failed = missing = 0
    chosen = {name: client for name, client in CLIENTS.items() if re.search(match, name)}
    with tempfile.TemporaryDirectory() as directory:
        servers = {}
        for name, client in chosen.items():
            at = build / "judges" / name.replace("/", "-").replace(" ", "-")
            if not install(client, at):
                print(f"{name}: not run")
                missing += client["dialogues"]
                continue
            kind = client["server"]
            if kind not in servers:
                servers[kind] = {"mcp": McpServer, "oauth": OauthServer}[kind](pathlib.Path(directory) / kind)
            good = ask(client, at, {"TMPDIR": directory, **servers[kind].environment})
            print(f"{name}: {good} of {client['dialogues']} dialogues")
            passed, failed = passed + good, failed + client["dialogues"] - good
        for server in servers.values():
            server.stop()
    if missing:
        print(f"{missing} dialogues not run")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:]))
