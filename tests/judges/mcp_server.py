"""mcp_server.py - what clients of MCP are judged with: `evdb mcp`, and evdbd with a token that may read and write."""
import os
import pathlib

from mcp_peers import Daemon


class McpServer:
    def __init__(self, directory):
        directory.mkdir()
        self.daemon = Daemon(directory)
        self.environment = {"EVDB": str(pathlib.Path(os.environ["EVDB_BUILD"]) / "evdb"),
                            "EVDB_MCP_URL": f"http://127.0.0.1:{self.daemon.ports['mcp']}/mcp",
                            "EVDB_TOKEN": self.daemon.token("read write"), "TMPDIR": str(directory)}

    def stop(self):
        self.daemon.stop()
