"""bearer_proxy.py - a way to a server for clients that can send no Authorization header: adds one, and leaves all else as it is.

Only requests are taken apart. Answers are handed on byte by byte, so that what is streamed stays so, and a client that leaves has left the
server, too."""
import re
import select
import socket
import socketserver
import threading


class Requests:
    """Bytes of requests in, the same with the header out."""

    def __init__(self, token):
        self.header = b"\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n"
        self.held, self.body_left = b"", 0

    def take(self, got):
        self.held, out = self.held + got, b""
        while self.held:
            if self.body_left:
                part, self.held = self.held[:self.body_left], self.held[self.body_left:]
                self.body_left -= len(part)
                out += part
                continue
            head, end, rest = self.held.partition(b"\r\n\r\n")
            if not end:
                break
            length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
            assert length or b"\r\ntransfer-encoding:" not in head.lower(), "a body in chunks"
            self.held, self.body_left = rest, int(length[1]) if length else 0
            out += head + self.header
        return out


class Carrier(socketserver.BaseRequestHandler):
    """A connection, and the one to the server that stands for it."""

    def handle(self):
        requests = Requests(self.server.token)
        with socket.create_connection(self.server.target) as upstream:
            try:
                while True:
                    for side in select.select([self.request, upstream], [], [])[0]:
                        got = side.recv(65536)
                        if not got:
                            return
                        if side is upstream:
                            self.request.sendall(got)
                        else:
                            upstream.sendall(requests.take(got))
            except OSError:
                return


class BearerProxy(socketserver.ThreadingTCPServer):
    """Hands on to 127.0.0.1:port. The Host header stays what the client says, since servers look at it."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, port, token):
        super().__init__(("127.0.0.1", 0), Carrier)
        self.target, self.token = ("127.0.0.1", port), token
        self.url = f"http://127.0.0.1:{self.server_address[1]}/mcp"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
