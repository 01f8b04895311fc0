"""echo_server.py - runs tests/http/echo_server, and talks to it over raw sockets."""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

PATIENCE = 60  # seconds until something that should happen is taken for a hang
BUILD = pathlib.Path(os.environ.get("EVDB_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROGRAM = BUILD / "tests/http/echo_server"


class Reply:
    def __init__(self, head, body):
        line, *fields = head.decode().split("\r\n")
        self.status = int(line.split(" ")[1])
        self.headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        self.body = body

    @property
    def text(self):
        return self.body.decode()


class Client:
    """One connection. What the server sends behind a reply is kept for the next."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.kept = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError(f"closed behind {self.kept[:200]!r}")
        self.kept += data

    def reply(self, bodiless=False):
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, self.kept = self.kept.split(b"\r\n\r\n", 1)
        if head.startswith(b"HTTP/1.1 100"):
            return self.reply(bodiless)
        length = 0 if bodiless else int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(self.kept) < length:
            self._more()
        body, self.kept = self.kept[:length], self.kept[length:]
        return Reply(head, body)

    def request(self, method, target, body=b"", headers=()):
        lines = [f"{method} {target} HTTP/1.1", "Host: test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def ask(self, method, target, body=b"", headers=()):
        return self.request(method, target, body, headers).reply(bodiless=method == "HEAD")

    def closed_within(self, seconds):
        """Whether the server ends the connection within that time; what it still sends is kept."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return False
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionError:
                return True
            if not data:
                return True
            self.kept += data
        return False

    def close(self):
        self.socket.close()


class Server:
    def __init__(self, **options):
        arguments = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1])
        self.ports = [int(port) for port in line.split()]
        self.clients = []

    def client(self, slot=0):
        self.clients.append(Client(self.ports[slot]))
        return self.clients[-1]

    def ask(self, method, target, body=b"", headers=(), slot=0):
        """Over a connection of its own."""
        client = Client(self.ports[slot])
        try:
            return client.ask(method, target, body, headers)
        finally:
            client.close()

    def wait_held(self, count):
        """Until that many requests are with workers in /hold. Needs a free worker."""
        client = self.client()
        until = time.monotonic() + PATIENCE
        while client.ask("GET", "/held").text != str(count):
            assert time.monotonic() < until, "the requests do not reach their workers"

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Waits for the end; how many requests the handler has answered."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, f"exit status {self.process.returncode}: {err}"
        assert not err, err
        return int(re.fullmatch(r"answered (\d+)\n", out)[1])

    def stop(self):
        for client in self.clients:
            client.close()
        if self.process.returncode is None:
            self.terminate()
            return self.end()
        return None
