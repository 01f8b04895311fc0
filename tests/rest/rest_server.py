"""rest_server.py - runs the built evdbd on free loopback ports, and talks REST to it.

What succeeds is compared with the operation table that the daemon prints: the status, and the shape of the reply."""
import http.client
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "daemon"))

import evdbd  # noqa: E402

PATIENCE, EVDBD = evdbd.PATIENCE, evdbd.PROGRAM
JSON, BYTES = "application/json", "application/octet-stream"
ADMIN = (evdbd.DEV_CLIENT, evdbd.DEV_SECRET)
TABLE = json.loads(subprocess.run([EVDBD, "--print-operations"], check=True, capture_output=True).stdout)


def operation_at(method, path):
    """The table's entry for a request, or None."""
    for o in TABLE:
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(o["path"]))
        if o["method"] == ("GET" if method == "HEAD" else method) and re.fullmatch(pattern + "/?", path):
            return o
    return None


def arguments_beside_path(o):
    """Names of the required arguments that the path does not carry."""
    in_path = set(re.findall(r"{([a-z_]+)}", o["path"]))
    return [name for name in o["input"]["required"] if name not in in_path and not (name == "store" and "name" in in_path)]


TYPES = {"integer": int, "number": (int, float), "string": str, "boolean": bool, "object": dict, "array": list}


def check_schema(schema, value, at="reply"):
    """The part of JSON Schema that the table uses."""
    kinds = [one["type"] for one in schema.get("anyOf", [schema])]
    fits = any(isinstance(value, TYPES[kind]) and (kind == "boolean") == isinstance(value, bool) for kind in kinds)
    assert fits, f"{at} is {value!r}, no {kinds}"
    assert "enum" not in schema or value in schema["enum"], f"{at} is {value!r}"
    for i, item in enumerate(value if "items" in schema else ()):
        check_schema(schema["items"], item, f"{at}[{i}]")
    if "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), f"{at} has {sorted(value)}"
        for name, member in value.items():
            check_schema(schema["properties"][name], member, f"{at}.{name}")


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def problem(self, status, *says, item=None):
        """It is an RFC 9457 problem of that status whose detail has all of these words."""
        assert self.status == status, (self.status, self.body[:500])
        assert self.headers["Content-Type"] == "application/problem+json"
        body = self.json
        assert body["type"] == "about:blank" and body["status"] == status and body["title"] and body["code"].isupper()
        assert body.get("item") == item
        for words in says:
            assert words in body["detail"], body["detail"]
        return body


class Server:
    def __init__(self, directory, *flags):
        self.server = evdbd.Server(pathlib.Path(directory) / "data", *flags)
        self.rest, self.oauth = self.server.ports["rest"], self.server.ports["oauth"]
        self.tokens = {}
        self.connection = http.client.HTTPConnection("127.0.0.1", self.rest, timeout=PATIENCE)

    def grant(self, **form):
        connection = http.client.HTTPConnection("127.0.0.1", self.oauth, timeout=PATIENCE)
        connection.request("POST", "/oauth/token", urllib.parse.urlencode(form),
                           {"Content-Type": "application/x-www-form-urlencoded"})
        return Reply(connection.getresponse())

    def token(self, scope="admin", client=ADMIN):
        if (scope, client) not in self.tokens:
            reply = self.grant(grant_type="client_credentials", client_id=client[0], client_secret=client[1], scope=scope)
            assert reply.status == 200, reply.body
            self.tokens[scope, client] = reply.json["access_token"]
        return self.tokens[scope, client]

    def send(self, method, target, body=None, headers=()):
        """Exactly that request."""
        self.connection.request(method, target, body, dict(headers))
        return Reply(self.connection.getresponse())

    def ask(self, method, target, body=None, type=JSON, token=None, headers=()):
        """A request with a token that may do everything; a body that is no bytes is sent as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        headers = {"Authorization": f"Bearer {token or self.token()}", **dict(headers)}
        if body is not None and type:
            headers["Content-Type"] = type
        reply = self.send(method, target, body, headers)
        if reply.status < 300 and method != "OPTIONS":
            o = operation_at(method, target.split("?")[0])
            assert reply.status == (201 if o["creates"] else 200)
            if o["stream"] != "out" and method != "HEAD":
                assert reply.headers["Content-Type"] == JSON
                check_schema(o["output"], reply.json)
        return reply

    def good(self, method, target, body=None, **how):
        """The JSON of a reply that is no error."""
        reply = self.ask(method, target, body, **how)
        assert reply.status < 300, reply.body[:500]
        return reply.json

    def stop(self):
        self.connection.close()
        self.server.stop()
