"""mcp_peers.py - real servers to talk MCP to: `evdb mcp` over pipes, evdbd over HTTP. Both answer request(), call() and tools()."""
import base64
import http.client
import itertools
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "daemon"))

import evdbd  # noqa: E402

BUILD = pathlib.Path(os.environ.get("EVDB_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PATIENCE = 120  # seconds until something that should happen is taken for a hang
SCOPES = ("read", "write", "admin")
MODERN = "2026-07-28"
VERSIONS = (MODERN, "2025-11-25", "2025-06-18")
PREFIX = "io.modelcontextprotocol/"
META = {PREFIX + "protocolVersion": MODERN, PREFIX + "clientCapabilities": {}, PREFIX + "clientInfo": {"name": "test", "version": "1"}}


def headers_of(message):
    """What a client of the modern version says in headers of its message."""
    params = message.get("params", {})
    name = params.get("uri") if message["method"] == "resources/read" else params.get("name") if message["method"] in ("tools/call", "prompts/get") else None
    headers = {"MCP_Protocol_Version": MODERN, "Mcp_Method": message["method"]}
    if name is not None:
        plain = name.isascii() and name.isprintable() and name == name.strip() and not name.startswith("=?base64?")
        headers["Mcp_Name"] = name if plain else f"=?base64?{base64.b64encode(name.encode()).decode()}?="
    return headers


def modern(message):
    """The message as the modern version has it."""
    params = message.get("params", {})
    return {**message, "params": {**params, "_meta": {**META, **params.get("_meta", {})}}}


class Peer:
    """A server that answers JSON-RPC messages; exchange() is what a transport adds."""

    def __init__(self, version=None):
        self.ids = itertools.count(1)
        self.version, self.modern = version, version == MODERN

    def message(self, method, params=None, **members):
        """A request with the next id."""
        message = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, **members}
        if params is not None:
            message["params"] = params
        return modern(message) if self.modern else message

    def call_of(self, tool, arguments, **meta):
        return self.message("tools/call", {"name": tool, "arguments": arguments, "_meta": meta})

    def request(self, method, params=None, **members):
        """The reply to a request with the next id."""
        message = self.message(method, params, **members)
        reply = json.loads(self.exchange(json.dumps(message).encode()))
        assert reply["jsonrpc"] == "2.0" and reply["id"] == message["id"]
        assert set(reply) == {"jsonrpc", "id", "result"} or set(reply) == {"jsonrpc", "id", "error"}
        if self.modern and "result" in reply:
            assert reply["result"]["resultType"] == "complete" and reply["result"]["_meta"][PREFIX + "serverInfo"]["name"] == "evdb"
        return reply

    def result(self, method, params=None):
        reply = self.request(method, params)
        assert "result" in reply, reply
        return reply["result"]

    def refuses(self, method, params=None):
        """Code, message and data of the error that a request is answered with."""
        reply = self.request(method, params)
        assert "error" in reply, reply
        return reply["error"]["code"], reply["error"]["message"], reply["error"].get("data")

    def error(self, message):
        """The error that any text is answered with, and the reply's id."""
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        reply = json.loads(self.exchange(text))
        assert set(reply) == {"jsonrpc", "id", "error"}, reply
        return reply["error"]["code"], reply["error"]["message"], reply["id"]

    def call(self, tool, /, **arguments):
        """What a tool that succeeds answers."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        assert result["isError"] is False, result
        assert [part["type"] for part in result["content"]] == ["text"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def fails(self, tool, /, **arguments):
        """Status and message of a tool that answers a failure to the model."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        assert result["isError"] is True and "structuredContent" not in result, result
        return result["_meta"]["evdb/status"], result["content"][0]["text"]

    def tools(self):
        return {tool["name"]: tool for tool in self.result("tools/list")["tools"]}


class Stdio(Peer):
    """`evdb mcp` in a directory."""

    def __init__(self, directory, *words, data="data", version=None):
        super().__init__(version)
        environment = {k: v for k, v in os.environ.items() if k != "EVDB_DATA"}
        self.process = subprocess.Popen([BUILD / "evdb", "mcp", "-d", data, *words], cwd=directory, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), (line, self.process.poll())
        return line

    def exchange(self, text):
        self.send(text)
        return self.receive()

    def begin(self, message):
        """Sends a request; the messages that come then, the reply the last of them."""
        self.send(json.dumps(message).encode())
        return Incoming(self, message["id"])

    def silent(self, text):
        """Nothing answers this: the next reply is that of the request behind it."""
        self.send(text)
        return self.request("ping")["result"] == {}

    def end(self, status=0):
        """Ends the input; what was still to be read, and what stderr says."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, (self.process.returncode, err)
        return out, err.decode()

    def stop(self):
        if self.process.poll() is None:
            assert self.end() == (b"", "")
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


class Incoming:
    """The lines behind a request, up to its reply."""

    def __init__(self, peer, id):
        self.peer, self.id, self.over = peer, id, False

    def __iter__(self):
        return self

    def __next__(self):
        if self.over:
            raise StopIteration
        message = json.loads(self.peer.receive())
        self.over = message.get("id") == self.id
        return message


class Events:
    """The answer to a request over HTTP: events, or one body."""

    def __init__(self, connection):
        self.connection, self.response = connection, connection.getresponse()
        self.type = self.response.headers["Content-Type"]

    def __iter__(self):
        return self

    def __next__(self):
        if self.type != "text/event-stream":
            body = self.response.read()
            if not body:
                raise StopIteration
            return json.loads(body)
        lines = []
        while (line := self.response.readline()) not in (b"\n", b""):
            lines.append(line)
        if not lines:
            raise StopIteration
        assert len(lines) == 2 and lines[0] == b"event: message\n" and lines[1].startswith(b"data: "), lines
        return json.loads(lines[1][6:])

    def leave(self):
        self.response.close()
        self.connection.close()


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Daemon:
    """evdbd on ports of the system's choice, with the published client of development unless flags say otherwise."""

    def __init__(self, directory, *flags):
        self.server = evdbd.Server(pathlib.Path(directory) / "data", *flags or ("--dev",))
        self.ports = self.server.ports

    def _send(self, port, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def token(self, scope):
        form = {"grant_type": "client_credentials", "client_id": evdbd.DEV_CLIENT,
                "client_secret": evdbd.DEV_SECRET, "scope": scope}
        reply = self._send(self.ports["oauth"], "POST", "/oauth/token", urllib.parse.urlencode(form),
                           {"Content-Type": "application/x-www-form-urlencoded"})
        assert reply.status == 200, reply.body
        return reply.json["access_token"]

    def ask(self, body=b"", method="POST", path="/mcp", **headers):
        """One request. Headers are given with _ for -; None leaves one out."""
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        sent = {name: value for name, value in sent.items() if value is not None}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._send(self.ports["mcp"], method, path, body, sent)

    def stop(self):
        self.server.stop()


class Http(Peer):
    """A client of evdbd with a token of one scope."""

    def __init__(self, daemon, scope="read write admin", version=None):
        super().__init__(version)
        self.daemon = daemon
        self.token = daemon.token(scope)

    def ask(self, body, **headers):
        return self.daemon.ask(body, Authorization=f"Bearer {self.token}", **headers)

    def begin(self, message, read=True, **headers):
        """Sends a request; the messages that come then, or, unless they are to be read, the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.ports["mcp"], timeout=PATIENCE)
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": f"Bearer {self.token}"}
        if self.version:
            sent["MCP-Protocol-Version"] = self.version
        if self.modern:
            headers = {**headers_of(message), **headers}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection.request("POST", "/mcp", json.dumps(message).encode(), sent)
        return Events(connection) if read else connection

    def exchange(self, text):
        legacy = {"MCP_Protocol_Version": self.version} if self.version else {}
        reply = self.ask(text, **headers_of(json.loads(text)) if self.modern else legacy)
        assert reply.status == 200, (reply.status, reply.body)
        assert reply.headers["Content-Type"] == "application/json"
        return reply.body

    def silent(self, text):
        reply = self.ask(text)
        return reply.status == 202 and reply.body == b""
