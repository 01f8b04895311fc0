"""oidc_issuer.py - an OpenID Connect issuer: its discovery document and its keys, on loopback, and how it may misbehave."""
import http.server
import json
import ssl
import threading


class Issuer:
    """Publishes `keys` (of signing_keys.py). mode: "fine", "hang", "fail", "redirect", "large". `asked` counts requests for keys."""

    def __init__(self, keys, certificate=None):
        issuer = self
        self.keys, self.mode, self.asked, self.document = keys, "fine", 0, {}
        self.counting, self.open = threading.Lock(), threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}/realm"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        about = request.path == "/realm/.well-known/openid-configuration"
        with self.counting:
            self.asked += not about
        mode = self.mode
        if mode == "hang":
            self.open.wait()
        if about:
            body = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.document}
        else:
            body = {"keys": [key if isinstance(key, dict) else key.jwk(use="sig") for key in self.keys]}
        text = json.dumps(body).encode() + b" " * (10 << 20 if mode == "large" else 0)
        try:
            request.send_response({"fail": 500, "redirect": 302}.get(mode, 200))
            if mode == "redirect":
                request.send_header("Location", f"{self.url}/keys")
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)
        except OSError:
            pass  # it had heard enough

    def stop(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()
