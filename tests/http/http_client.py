"""http_client.py - HTTP/1.1 over a raw socket, so that tests decide about every byte."""
import re
import select
import socket
import time

PATIENCE = 60  # seconds until something that should happen is taken for a hang


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
    """One connection. What the server sends behind a reply is kept for the next. options: (level, name, value) of setsockopt,
    set before it connects. tls: an ssl.SSLContext to speak it with."""

    def __init__(self, port, options=(), tls=None):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        for option in options:
            self.socket.setsockopt(*option)
        self.kept = b""
        try:
            self.socket.connect(("127.0.0.1", port))
            if tls:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        except OSError:
            self.socket.close()
            raise

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
        parts, had = [self.kept], len(self.kept)
        while had < length:  # TLS brings 16 KiB at a time: joined once
            self.kept = b""
            self._more()
            parts.append(self.kept)
            had += len(self.kept)
        self.kept = b"".join(parts)
        body, self.kept = self.kept[:length], self.kept[length:]
        return Reply(head, body)

    def head(self):
        """The head of an answer that is a stream."""
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, self.kept = self.kept.split(b"\r\n\r\n", 1)
        return Reply(head, b"")

    def chunk(self):
        """The next piece of it; empty = the end."""
        while b"\r\n" not in self.kept:
            self._more()
        line, self.kept = self.kept.split(b"\r\n", 1)
        size = int(line, 16) + 2
        while len(self.kept) < size:
            self._more()
        data, self.kept = self.kept[:size], self.kept[size:]
        assert data.endswith(b"\r\n")
        return data[:-2]

    def request(self, method, target, body=b"", headers=()):
        named = any(header.lower().startswith("host:") for header in headers)
        lines = [f"{method} {target} HTTP/1.1", *([] if named else ["Host: test"]), *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def ask(self, method, target, body=b"", headers=()):
        return self.request(method, target, body, headers).reply(bodiless=method == "HEAD")

    def closed_within(self, seconds):
        """Whether the server ends the connection within that time; what it still sends is kept."""
        poll = select.poll()  # select() stops at descriptor 1024
        poll.register(self.socket, select.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not poll.poll(left * 1000):
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
