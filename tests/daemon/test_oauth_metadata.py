"""test_oauth_metadata.py - what clients learn without a token, for whom tokens are good, and what becomes of a token that is asked about,
ended, or asked for by a client that registers itself."""
import base64
import json

import pytest
from browser import CALLBACK, Browser, add_user, answered, asking, redeem, register, verifier_and_challenge
from evdbd import FORM, basic, problem

AS_METADATA, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def prepared(shared):
    register(shared, "meta", redirect_uris=["http://127.0.0.1/callback"])
    shared.confidential = register(shared, "reader", token_endpoint_auth_method="client_secret_basic",
                                   grant_types=["client_credentials", "refresh_token"], redirect_uris=[], scopes=["read"])["client_secret"]
    add_user(shared, "carol")
    return shared


def document(server, path, endpoint):
    reply = server.ask("GET", path, endpoint=endpoint)
    assert reply.status == 200, reply.text
    assert reply.headers["content-type"] == "application/json" and reply.headers["access-control-allow-origin"] == "*"
    return json.loads(reply.body)


def tokens_of(server, **changes):
    verifier, challenge = verifier_and_challenge()
    query = asking(challenge, client_id="meta", **changes)
    browser = Browser(server)
    browser.log_in(query, "carol")
    reply = redeem(server, answered(browser.submit(query, "allow"))["code"], verifier, client_id="meta")
    assert reply.status == 200, reply.text
    return json.loads(reply.body)


def post(server, path, fields, *headers):
    from urllib.parse import urlencode
    return server.ask("POST", path, urlencode(fields).encode(), [f"Content-Type: {FORM}", *headers], "oauth")


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def status_of(server, token, endpoint="rest", host=None):
    headers = [f"Authorization: Bearer {token}"]
    host = host or f"127.0.0.1:{server.ports[endpoint]}"
    headers.append(f"Host: {host}")
    if endpoint == "rest":
        return server.ask("GET", "/api/v1/stores", b"", headers, "rest").status
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    return server.ask("POST", "/mcp", body, [*headers, "Content-Type: application/json"], "mcp").status


# ---- documents

def test_the_authorization_server_says_what_it_can_do(prepared):
    doc = document(prepared, AS_METADATA, "oauth")
    issuer = f"http://127.0.0.1:{prepared.ports['oauth']}"
    assert doc["issuer"] == issuer
    for name in ("authorization", "token", "revocation", "introspection"):
        assert doc[f"{name}_endpoint"].startswith(issuer + "/oauth/")
    assert doc["jwks_uri"] == issuer + "/oauth/jwks"
    assert doc["code_challenge_methods_supported"] == ["S256"] and doc["response_types_supported"] == ["code"]
    assert set(doc["grant_types_supported"]) == {"authorization_code", "client_credentials", "refresh_token"}
    assert set(doc["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
    assert "none" not in doc["introspection_endpoint_auth_methods_supported"]
    assert doc["authorization_response_iss_parameter_supported"] is True
    assert "registration_endpoint" not in doc
    problem(prepared.ask("POST", AS_METADATA, endpoint="oauth"), 405)
    for endpoint in ("mcp", "rest"):
        assert prepared.ask("GET", AS_METADATA, endpoint=endpoint).status == 404


@pytest.mark.parametrize("endpoint, path", (("mcp", "/mcp"), ("rest", "/api/v1")))
def test_a_resource_says_whom_to_ask_for_a_token(prepared, endpoint, path):
    port = prepared.ports[endpoint]
    for where in (RESOURCE, RESOURCE + path):
        doc = document(prepared, where, endpoint)
        assert doc["resource"] == f"http://127.0.0.1:{port}{path}"
        assert doc["authorization_servers"] == [f"http://127.0.0.1:{prepared.ports['oauth']}"]
        assert doc["bearer_methods_supported"] == ["header"] and doc["scopes_supported"] == ["read", "write", "admin"]
    reply = prepared.ask("GET", RESOURCE + path, b"", [f"Host: localhost:{port}"], endpoint)
    assert json.loads(reply.body)["resource"] == f"http://localhost:{port}{path}"  # as the client calls it
    reply = prepared.ask("GET", RESOURCE + path, b"", ["Host: evil.example"], endpoint)
    assert json.loads(reply.body)["resource"] == f"http://127.0.0.1:{port}{path}"  # and not as just anybody does
    assert prepared.ask("GET", RESOURCE + "/else", endpoint=endpoint).status == 404


@pytest.mark.parametrize("endpoint, path, ask", (("mcp", "/mcp", "POST"), ("rest", "/api/v1/stores", "GET")))
def test_who_has_no_token_is_told_where_that_document_is(prepared, endpoint, path, ask):
    where = f'resource_metadata="http://127.0.0.1:{prepared.ports[endpoint]}{RESOURCE}{"/mcp" if endpoint == "mcp" else "/api/v1"}"'
    headers = ["Content-Type: application/json", f"Host: 127.0.0.1:{prepared.ports[endpoint]}"]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() if ask == "POST" else b""
    reply = prepared.ask(ask, path, body, headers, endpoint)
    challenge = reply.headers["www-authenticate"]
    assert reply.status == 401 and where in challenge and 'scope="read"' in challenge and "error" not in challenge
    challenge = prepared.ask(ask, path, body, [*headers, "Authorization: Bearer x"], endpoint).headers["www-authenticate"]
    assert where in challenge and 'error="invalid_token"' in challenge
    token = prepared.token("reader", prepared.confidential)
    reply = prepared.ask("POST", "/api/v1/stores", b'{"name":"x"}', [f"Authorization: Bearer {token}", "Content-Type: application/json"])
    assert reply.status == 403 and 'error="insufficient_scope", scope="write", resource_metadata="' in reply.headers["www-authenticate"]


# ---- for whom a token is good

def test_a_token_without_a_resource_is_good_for_every_endpoint(prepared):
    token = tokens_of(prepared)["access_token"]
    assert claims(token)["aud"] == claims(token)["iss"] == f"http://127.0.0.1:{prepared.ports['oauth']}"
    assert claims(token)["sub"] == "user:carol" and claims(token)["client_id"] == "meta"
    assert status_of(prepared, token) == 200 and status_of(prepared, token, "mcp") == 200


@pytest.mark.parametrize("host", ("127.0.0.1", "localhost"))
def test_a_token_for_one_resource_is_good_for_no_other(prepared, host):
    mcp, rest = f"http://{host}:{prepared.ports['mcp']}/mcp", f"http://{host}:{prepared.ports['rest']}/api/v1"
    for resource, endpoint, other in ((mcp, "mcp", "rest"), (rest, "rest", "mcp")):
        tokens = tokens_of(prepared, resource=resource)
        assert claims(tokens["access_token"])["aud"] == resource
        assert status_of(prepared, tokens["access_token"], endpoint, f"{host}:{prepared.ports[endpoint]}") == 200
        assert status_of(prepared, tokens["access_token"], other, f"{host}:{prepared.ports[other]}") == 401
        fields = {"grant_type": "refresh_token", "client_id": "meta", "refresh_token": tokens["refresh_token"]}
        wrong = prepared.form({**fields, "resource": rest if resource == mcp else mcp})
        assert wrong.status == 400 and json.loads(wrong.body)["error"] == "invalid_target"
        again = json.loads(prepared.form(fields).body)
        assert claims(again["access_token"])["aud"] == resource


def test_two_resources_are_two_audiences(prepared):
    mcp, rest = f"http://127.0.0.1:{prepared.ports['mcp']}/mcp", f"http://127.0.0.1:{prepared.ports['rest']}/api/v1"
    fields = [("grant_type", "client_credentials"), ("client_id", "reader"), ("client_secret", prepared.confidential)]
    reply = prepared.form([*fields, ("resource", mcp), ("resource", rest)])
    assert claims(json.loads(reply.body)["access_token"])["aud"] == [mcp, rest]
    for bad in ("https://evil.example/mcp", mcp + "/", mcp.upper(), "http://127.0.0.1:1/mcp", "mcp", ""):
        reply = prepared.form([*fields, ("resource", mcp), ("resource", bad)])
        assert (reply.status, json.loads(reply.body)["error"]) == (400, "invalid_target"), bad


def test_opaque_tokens_speak_for_users_and_are_for_no_resource_of_their_own(start):
    server = start("--token-format", "opaque")
    register(server)
    add_user(server)
    verifier, challenge = verifier_and_challenge()
    browser = Browser(server)
    resource = f"http://127.0.0.1:{server.ports['mcp']}/mcp"
    assert answered(browser.open(asking(challenge, resource=resource)))["error"] == "invalid_target"
    tokens = json.loads(redeem(server, browser.allow(asking(challenge))["code"], verifier).body)
    assert tokens["access_token"].startswith("evdb1.") and status_of(server, tokens["access_token"]) == 200
    again = server.form({"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]})
    assert again.status == 200


# ---- revocation and introspection

def test_a_client_ends_its_tokens(prepared):
    for which in ("access_token", "refresh_token"):
        tokens = tokens_of(prepared)
        reply = post(prepared, "/oauth/revoke", {"client_id": "reader", "client_secret": prepared.confidential, "token": tokens[which]})
        assert reply.status == 200 and status_of(prepared, tokens["access_token"]) == 200  # not somebody else's
        reply = post(prepared, "/oauth/revoke", {"client_id": "meta", "token": tokens[which], "token_type_hint": "whatever"})
        assert (reply.status, reply.body) == (200, b"") and reply.headers["cache-control"] == "no-store"
        assert status_of(prepared, tokens["access_token"]) == 401
        refreshed = prepared.form({"grant_type": "refresh_token", "client_id": "meta", "refresh_token": tokens["refresh_token"]})
        assert refreshed.status == (200 if which == "access_token" else 400)
    assert post(prepared, "/oauth/revoke", {"client_id": "meta", "token": "unknown"}).status == 200
    for fields, status, error in (({"client_id": "meta"}, 400, "invalid_request"), ({"token": "x"}, 401, "invalid_client"),
                                  ({"client_id": "reader", "token": "x"}, 401, "invalid_client"),
                                  ({"client_id": "reader", "client_secret": "wrong", "token": "x"}, 401, "invalid_client")):
        reply = post(prepared, "/oauth/revoke", fields)
        assert (reply.status, json.loads(reply.body)["error"]) == (status, error)
    reply = prepared.ask("GET", "/oauth/revoke", endpoint="oauth")
    assert (reply.status, reply.headers["allow"], json.loads(reply.body)["error"]) == (405, "POST", "invalid_request")


def test_a_token_is_described_to_its_client_and_to_admins_alone(prepared):
    tokens = tokens_of(prepared)
    admin, reader = basic(*prepared.admin()), basic("reader", prepared.confidential)
    own = prepared.token("reader", prepared.confidential)

    def described(token, *headers):
        reply = post(prepared, "/oauth/introspect", {"token": token}, *headers)
        assert reply.status == 200 and reply.headers["cache-control"] == "no-store"
        return json.loads(reply.body)

    seen = described(tokens["access_token"], admin)
    assert seen["active"] is True and seen["username"] == "carol" and seen["sub"] == "user:carol" and seen["client_id"] == "meta"
    assert seen["token_type"] == "Bearer" and seen["scope"] == "read write" and seen["exp"] > seen["iat"]
    assert seen["iss"] == claims(tokens["access_token"])["iss"] and seen["jti"] == claims(tokens["access_token"])["jti"]
    assert described(tokens["refresh_token"], admin)["active"] is True
    assert described(own, reader)["client_id"] == "reader"
    for token in (tokens["access_token"], tokens["refresh_token"], "x", "evdb1.x"):
        assert described(token, reader) == {"active": False}
    post(prepared, "/oauth/revoke", {"client_id": "meta", "token": tokens["refresh_token"]})
    for token in tokens["access_token"], tokens["refresh_token"]:
        assert described(token, admin) == {"active": False}
    for fields, headers in (({"token": own}, []), ({"token": own, "client_id": "meta"}, []), ({"token": own}, [basic("reader", "wrong")])):
        reply = post(prepared, "/oauth/introspect", fields, *headers)
        assert reply.status == 401 and json.loads(reply.body)["error"] == "invalid_client" and "www-authenticate" in reply.headers
    assert json.loads(post(prepared, "/oauth/introspect", {}, admin).body)["error"] == "invalid_request"


@pytest.mark.parametrize("scope", (b"%FF", b"%22%5C%C3%A4", b"%0A", b"x" * 3000))
def test_what_an_error_quotes_is_in_letters_that_errors_may_have(prepared, scope):
    reply = prepared.form(b"grant_type=client_credentials&client_id=reader&client_secret=" + prepared.confidential.encode() + b"&scope=" + scope)
    body = json.loads(reply.body)
    assert (reply.status, body["error"]) == (400, "invalid_scope")
    assert all(" " <= letter <= "~" and letter not in '"\\' for letter in body["error_description"])


# ---- registration

def registering(server, metadata, token=None):
    headers = ["Content-Type: application/json"] + ([f"Authorization: Bearer {token}"] if token else [])
    body = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    return server.ask("POST", "/oauth/register", body, headers, "oauth")


def test_registration_is_off_unless_it_is_set(prepared):
    assert registering(prepared, {}, prepared.token()).status == 404


def test_admins_register_clients_that_then_log_users_in(start):
    server = start("--dynamic-registration", "true")
    assert document(server, AS_METADATA, "oauth")["registration_endpoint"].endswith("/oauth/register")
    metadata = {"client_name": "An App", "redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none", "scope": "read",
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "software_id": "ignored"}
    weak = register(server, "weak", token_endpoint_auth_method="client_secret_post", grant_types=["client_credentials"], redirect_uris=[])["client_secret"]
    for token, status, error in ((None, 401, "invalid_token"), ("x", 401, "invalid_token"), (server.token("weak", weak), 403, "insufficient_scope")):
        reply = registering(server, metadata, token)
        assert (reply.status, json.loads(reply.body)["error"]) == (status, error) and "www-authenticate" in reply.headers
    reply = registering(server, metadata, server.token())
    assert reply.status == 201 and reply.headers["cache-control"] == "no-store"
    made = json.loads(reply.body)
    assert made["client_name"] == "An App" and made["scope"] == "read" and made["token_endpoint_auth_method"] == "none"
    assert made["redirect_uris"] == metadata["redirect_uris"] and made["client_id_issued_at"] > 0 and "client_secret" not in made
    add_user(server)
    verifier, challenge = verifier_and_challenge()
    answer = Browser(server).allow(asking(challenge, client_id=made["client_id"]))
    assert redeem(server, answer["code"], verifier, client_id=made["client_id"]).status == 200
    secret = json.loads(registering(server, {"redirect_uris": ["https://a.example/cb"]}, server.token()).body)
    assert len(secret["client_secret"]) == 43 and secret["client_secret_expires_at"] == 0
    for bad, error in (({"redirect_uris": ["http://a.example/cb"]}, "invalid_redirect_uri"), ({"redirect_uris": ["https://a.example/#x"]}, "invalid_redirect_uri"),
                       ({}, "invalid_redirect_uri"), ({"redirect_uris": 5}, "invalid_client_metadata"), (b"[]", "invalid_client_metadata"),
                       (b"{", "invalid_client_metadata"), ({"scope": "x", "redirect_uris": ["https://a.example/cb"]}, "invalid_client_metadata")):
        reply = registering(server, bad, server.token())
        assert (reply.status, json.loads(reply.body)["error"]) == (400, error), reply.text


def test_settings_say_what_the_server_is_called(start):
    server = start("--issuer", "https://id.example/evdb", "--mcp-url", "https://db.example/mcp", "--rest-url", "https://db.example/api/v1")
    doc = document(server, AS_METADATA, "oauth")
    assert doc["issuer"] == "https://id.example/evdb" and doc["token_endpoint"] == "https://id.example/evdb/oauth/token"
    assert document(server, RESOURCE, "mcp") == {**document(server, RESOURCE + "/mcp", "mcp"), "resource": "https://db.example/mcp",
                                                 "authorization_servers": ["https://id.example/evdb"]}
    register(server)
    add_user(server)
    _, challenge = verifier_and_challenge()
    browser = Browser(server)
    reply = browser.open(asking(challenge, resource="https://db.example/mcp"))
    assert "__Host-evdb_session=" in reply.headers["set-cookie"] and "; Secure" in reply.headers["set-cookie"] and "Path=/;" in reply.headers["set-cookie"]
    assert answered(browser.open(asking(challenge, resource=f"http://127.0.0.1:{server.ports['mcp']}/mcp")))["error"] == "invalid_target"
    assert answered(browser.open(asking(challenge, response_type="x")), CALLBACK)["iss"] == "https://id.example/evdb"
    challenged = server.ask("GET", "/api/v1/stores").headers["www-authenticate"]
    assert 'resource_metadata="https://db.example/.well-known/oauth-protected-resource/api/v1"' in challenged
