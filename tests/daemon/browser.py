"""browser.py - what a browser does at the authorization endpoint: keeps cookies, fills in forms, and is sent elsewhere."""
import base64
import hashlib
import html.parser
import json
import secrets
import urllib.parse

from evdbd import FORM

USER, PASSWORD = "alice", "correct horse battery"
CALLBACK = "http://127.0.0.1:4711/callback"


def issuer(server):
    return f"http://127.0.0.1:{server.ports['oauth']}"


def verifier_and_challenge():
    verifier = secrets.token_urlsafe(32)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def register(server, client="app", **more):
    """A public client with codes and refresh tokens."""
    body = {"client_id": client, "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["http://127.0.0.1/callback"], "scopes": ["write"], **more}
    reply = server.request("POST", "/api/v1/clients", body)
    assert reply.status == 201, reply.text
    return json.loads(reply.body)


def add_user(server, name=USER, password=PASSWORD, scopes=("write",)):
    reply = server.request("POST", "/api/v1/users", {"user": name, "password": password, "scopes": list(scopes)})
    assert reply.status == 201, reply.text


def asking(challenge, **changes):
    """The query of a request for a code; a change to None leaves the parameter out."""
    fields = {"response_type": "code", "client_id": "app", "redirect_uri": CALLBACK, "code_challenge": challenge,
              "code_challenge_method": "S256", "state": "st&te", **changes}
    return urllib.parse.urlencode([(name, value) for name, value in fields.items() if value is not None])


class Form(html.parser.HTMLParser):
    """The hidden fields of the page's form."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.tags = {}, set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        if tag == "input" and attrs.get("type") == "hidden":
            self.fields[attrs["name"]] = attrs["value"]


class Browser:
    def __init__(self, server):
        self.server, self.cookies, self.page = server, {}, None

    def send(self, method, query, fields=None, headers=()):
        headers = list(headers)
        if self.cookies:
            headers.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        body = b""
        if fields is not None:
            headers.append(f"Content-Type: {FORM}")
            body = urllib.parse.urlencode(fields).encode()
        reply = self.server.ask(method, f"/oauth/authorize?{query}", body, headers, "oauth")
        if "set-cookie" in reply.headers:
            name, value = reply.headers["set-cookie"].split(";")[0].split("=", 1)
            self.cookies[name] = value
        self.page = Form(reply.text)
        return reply

    def open(self, query):
        return self.send("GET", query)

    def submit(self, query, step, headers=(), **fields):
        return self.send("POST", query, {**self.page.fields, "step": step, **fields}, headers)

    def log_in(self, query, user=USER, password=PASSWORD):
        assert self.open(query).status == 200
        return self.submit(query, "login", user=user, password=password)

    def allow(self, query):
        """From the first page to the answer that the client gets."""
        reply = self.log_in(query)
        assert reply.status == 200 and "Allow access?" in reply.text, reply.text
        return answered(self.submit(query, "allow"))


def answered(reply, redirect=CALLBACK):
    """What a client is told by way of the browser."""
    assert reply.status == 303, reply.text
    place, _, query = reply.headers["location"].partition("?")
    assert place == redirect
    assert reply.headers["cache-control"] == "no-store"
    pairs = urllib.parse.parse_qsl(query, strict_parsing=True, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def redeem(server, code, verifier, /, **changes):
    fields = {"grant_type": "authorization_code", "client_id": "app", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK, **changes}
    return server.form([(name, value) for name, value in fields.items() if value is not None])
