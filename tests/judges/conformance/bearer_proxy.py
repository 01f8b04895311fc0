"""bearer_proxy.py - a way to a server for clients that can send no Authorization header: adds one, and leaves all else as it is.

Each connection takes one request, whose answer is handed on byte by byte, so that what is streamed stays so; a client that leaves is one that
has left the server, too."""
import select
import socket
import socketserver
import threading


class Carrier(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.request.recv(65536)
            if not more:
                return
            head += more
        head, rest = head.split(b"\r\n\r\n", 1)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"keep-alive:"))]
        lines += [b"Connection: close", b"Authorization: Bearer " + self.server.token.encode()]
        with socket.create_connection(self.server.target) as upstream:
            upstream.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + rest)
            self.pump(upstream)

    def pump(self, upstream):
        other = {self.request: upstream, upstream: self.request}
        while True:
            for side in select.select(list(other), [], [])[0]:
                try:
                    got = side.recv(65536)
                    other[side].sendall(got)
                except OSError:
                    return
                if not got:
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
