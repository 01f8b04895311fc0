"""test_authorisation.py - every operation of the table x every kind of token is answered as the table says.

Calls are generated from the table's schemas: an operation that is added is covered by being there."""
import json
import time

import pytest
from rest_server import PATIENCE, TABLE, Server, arguments_beside_path

SCOPES = ["read", "write", "admin"]  # each includes those before it
VALUES = {"integer": 1, "number": 0.5, "string": "nobody", "boolean": True, "object": {}}


def value_of(schema):
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return value_of(schema["anyOf"][0])
    kind = schema["type"]
    if kind == "array":
        return [value_of(schema["items"])]
    if kind == "object" and "properties" in schema:
        return {name: value_of(schema["properties"][name]) for name in schema["required"]}
    return max(VALUES["integer"], schema.get("minimum", 0)) if kind == "integer" else VALUES[kind]


def call_of(o):
    """A request with every required argument, which names nothing that exists."""
    args = {name: value_of(o["input"]["properties"][name]) for name in arguments_beside_path(o)}
    target = o["path"].replace("{name}", "nobody").replace("{id}", "1").replace("{client_id}", "nobody")
    if o["stream"] == "in" or o["method"] == "GET":
        query = "&".join(f"{name}={value}" for name, value in args.items())
        return o["method"], target + ("?" + query if query else ""), b"" if o["stream"] == "in" else None
    return o["method"], target, json.dumps(args)


def send(daemon, o, authorization):
    method, target, body = call_of(o)
    headers = {"Content-Type": "application/json"} if body else {}
    if authorization:
        headers["Authorization"] = authorization
    return daemon.send(method, target, body, headers)


every = pytest.mark.parametrize("o", TABLE, ids=[o["name"] for o in TABLE])


@every
def test_without_a_token_nothing_is_answered(daemon, o):
    reply = send(daemon, o, None)
    reply.problem(401, "token")
    assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="evdb", scope="read", resource_metadata="http://')


@every
def test_a_bad_token_is_told_from_none(daemon, o):
    good = daemon.token("admin")
    bad = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    for authorization in (f"Bearer {bad}", "Bearer x", "Bearer ", "Bearer " + "x" * 5000, good, f"Basic {good}"):
        reply = send(daemon, o, authorization)
        reply.problem(401)
        assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


@every
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_what_the_table_says(daemon, o, scope):
    reply = send(daemon, o, f"Bearer {daemon.token(scope)}")
    if SCOPES.index(scope) < SCOPES.index(o["scope"]):
        reply.problem(403, o["name"], f"'{o['scope']}'")
        challenge = reply.headers["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in challenge and f'scope="{o["scope"]}"' in challenge
    else:
        assert reply.status not in (401, 403) and reply.status < 500, reply.body


@pytest.fixture(scope="module")
def expired(tmp_path_factory):
    """A daemon, and a token of its that has expired: the shortest life there is, used until it is refused."""
    server = Server(tmp_path_factory.mktemp("expired"), "--dev", "--token_lifetime=1000")
    token = server.token("admin")
    assert server.ask("GET", "/api/v1/stores").status == 200
    until = time.monotonic() + PATIENCE
    while server.ask("GET", "/api/v1/stores", token=token).status == 200:
        assert time.monotonic() < until, "the token does not expire"
    yield server, token
    server.stop()


@every
def test_an_expired_token_opens_nothing(expired, o):
    server, token = expired
    reply = send(server, o, f"Bearer {token}")
    reply.problem(401, "expired")
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


def test_unknown_paths_and_methods_are_told_to_those_with_a_token_only(daemon):
    for method, target in (("GET", "/api/v1/nothing"), ("PUT", "/api/v1/stores"), ("OPTIONS", "/api/v1/stores")):
        daemon.send(method, target).problem(401)


def test_with_oauth_off_everybody_may_do_everything(start):
    open_house = start("--oauth_enabled=false")
    for o in TABLE:
        assert send(open_house, o, None).status not in (401, 403)


def test_the_published_secret_is_good_for_nothing_without_dev(start, tmp_path):
    server = start()
    assert server.grant(grant_type="client_credentials", client_id="admin", client_secret="admin_secret_2024").status == 401
    secret = (tmp_path / "data" / "admin.secret").read_text().strip()
    token = server.token("admin", ("admin", secret))
    server.ask("POST", "/api/v1/clients/admin/rotate", {"client_secret": "admin_secret_2024"}, token=token).problem(400, "published")
    assert server.ask("GET", "/api/v1/clients", token=token).status == 200  # nothing was rotated
