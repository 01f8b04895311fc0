"""oauth_server.py - what clients of OAuth are judged with: evdbd, a client of each kind, a user, and a browser for that user."""
import base64
import html.parser
import http.cookiejar
import http.server
import json
import os
import pathlib
import subprocess
import threading
import urllib.parse
import urllib.request

import evdbd

USER, PASSWORD = "judy", "correct horse battery staple"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, **options).stdout


def number(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def make_keys(directory):
    """A private key of each kind as a file, and its public half as a JWK."""
    ec, rsa, ed = (directory / f"{kind}.pem" for kind in ("es256", "rs256", "eddsa"))
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", ec)
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    run("openssl", "genpkey", "-algorithm", "ED25519", "-out", ed)
    edwards = run("openssl", "pkey", "-in", ed, "-pubout", "-outform", "DER")[-32:]
    point = run("openssl", "pkey", "-in", ec, "-pubout", "-outform", "DER")[-64:]
    modulus = bytes.fromhex(run("openssl", "rsa", "-in", rsa, "-noout", "-modulus", text=True).split("=")[1].strip())
    return {"es256": (ec, {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "es256", "x": number(point[:32]), "y": number(point[32:])}),
            "rs256": (rsa, {"kty": "RSA", "alg": "RS256", "kid": "rs256", "n": number(modulus), "e": "AQAB"}),
            "eddsa": (ed, {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "eddsa", "x": number(edwards)})}


class Form(html.parser.HTMLParser):
    """The one form of a page: where it goes, its fields, and its buttons."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.buttons, self.ask = None, {}, [], {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form":
            assert a["method"].lower() == "post"
            self.action = a.get("action", "")
        elif tag == "input" and a.get("type") == "password":
            self.ask[a["name"]] = PASSWORD
        elif tag == "input" and a.get("type", "text") in ("text", "email"):
            self.ask[a["name"]] = USER
        elif tag == "input" and a.get("type") == "hidden":
            self.fields[a["name"]] = a.get("value", "")
        elif tag == "button" and a.get("name"):
            self.buttons.append((a["name"], a.get("value", "")))


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(url):
    """Logs in and agrees, as a person with a browser would; where the browser is sent in the end."""
    opener = urllib.request.build_opener(StayHere, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    body = None
    for _ in range(6):
        try:
            page = opener.open(urllib.request.Request(url, body)).read().decode()
        except urllib.error.HTTPError as answer:
            if answer.code not in (302, 303):
                raise
            body, url = None, urllib.parse.urljoin(url, answer.headers["Location"])
            if "code=" in url or "error=" in url:
                return url
            continue
        form = Form(page)
        fields = {**form.fields, **form.ask}
        yes = [button for button in form.buttons if button[1] in ("allow", "yes", "approve", "login")]
        fields.update(yes[:1])
        url, body = urllib.parse.urljoin(url, form.action), urllib.parse.urlencode(fields).encode()
    raise AssertionError(f"the pages never end: {page}")


class Browser(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        where = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["url"][0]
        try:
            status, text = 200, browse(where)
        except Exception as error:  # told to whoever asked
            status, text = 500, repr(error) + getattr(error, "read", bytes)().decode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class OauthServer:
    def __init__(self, directory):
        directory.mkdir()
        keys = make_keys(directory)
        data, cli = directory / "data", pathlib.Path(os.environ["EVDB_BUILD"]) / "evdb"

        def evdb(*words, secret=None):
            return json.loads(run(cli, *words, "-d", data, "--json", input=secret, text=True))

        evdb("user", "add", USER, "--password", "-", "--scopes", "write", secret=PASSWORD)
        secret = evdb("client", "add", "judge", "--scopes", "write", "--grant-types", "client_credentials,refresh_token,authorization_code",
                      "--redirect", "https://judge.example/cb")["client_secret"]
        evdb("client", "add", "judge-public", "--auth", "none", "--scopes", "write", "--grant-types", "authorization_code,refresh_token",
             "--redirect", "http://127.0.0.1/cb")
        for kind, (_, jwk) in keys.items():
            evdb("client", "add", f"judge-{kind}", "--auth", "private_key_jwt", "--scopes", "write", "--jwks", json.dumps({"keys": [jwk]}))
        self.server = evdbd.Server(data)
        self.browser = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Browser)
        threading.Thread(target=self.browser.serve_forever, daemon=True).start()
        rest, issuer = (f"http://127.0.0.1:{self.server.ports[name]}" for name in ("rest", "oauth"))
        self.environment = {"EVDB_ISSUER": issuer, "EVDB_API": rest, "EVDB_RESOURCE": f"{rest}/api/v1", "EVDB_AUDIENCE": issuer,
                            "EVDB_SECRET": secret, "EVDB_BROWSER": f"http://127.0.0.1:{self.browser.server_port}/",
                            "EVDB_JWKS_URL": f"{issuer}/oauth/jwks", "EVDB_TOKEN": self.server.token("judge", secret, "read write"),
                            **{f"EVDB_KEY_{kind.upper()}": str(key) for kind, (key, _) in keys.items()}}

    def stop(self):
        self.browser.shutdown()
        self.server.stop()
