"""day_server.py - what an agent has around it for a day: evdbd, and a client for each scope."""
import json
import os
import pathlib
import subprocess

import evdbd

CLIENTS = {"reader": "read", "writer": "write", "keeper": "admin", "agent": "admin"}
REAL_DATA = pathlib.Path(__file__).resolve().parents[3] / "shared/data"


def data_missing():
    """Says so when there are no real records."""
    missing = not list(REAL_DATA.glob("minilm-384.*"))
    if missing:
        print(f"no {REAL_DATA.parent.name}/{REAL_DATA.name} beside this folder: there are no real records")
    return missing


class DayServer:
    def __init__(self, directory):
        directory.mkdir()
        data, cli = directory / "data", pathlib.Path(os.environ["EVDB_BUILD"]) / "evdb"

        def add(client, scope):
            reply = subprocess.run([cli, "client", "add", client, "--scopes", scope, "-d", data, "--json"], check=True, capture_output=True, text=True)
            return json.loads(reply.stdout)["client_secret"]

        secrets = {client: add(client, scope) for client, scope in CLIENTS.items()}
        self.server = evdbd.Server(data)
        mcp, issuer = (f"http://127.0.0.1:{self.server.ports[name]}" for name in ("mcp", "oauth"))
        self.environment = {"EVDB": str(cli), "EVDB_MCP_URL": f"{mcp}/mcp", "EVDB_ISSUER": issuer, "EVDB_CLIENTS": json.dumps(secrets),
                            "EVDB_REAL_DATA": str(REAL_DATA), "TMPDIR": str(directory)}

    def stop(self):
        self.server.stop()
