"""test_oauth.py - the token endpoint: dialogues of RFC 6749 with client_credentials and refresh_token."""
import json

import pytest
from evdbd import FORM, basic, library, problem

FORM_HEADER = f"Content-Type: {FORM}"
READ, WRITE, CLIENT_CREDENTIALS, REFRESH_TOKEN = 1, 2, 1, 2  # as evdb/auth.h numbers them


def answer(reply, status=200):
    """The JSON of a reply of the token endpoint, which nobody may keep."""
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store" and reply.headers["pragma"] == "no-cache"
    return json.loads(reply.body)


def refused(reply, error, status=400):
    body = answer(reply, status)
    assert body["error"] == error and body["error_description"] and set(body) == {"error", "error_description"}
    assert ("www-authenticate" in reply.headers) == (status == 401)
    return body["error_description"]


@pytest.fixture
def ask(shared):
    """Asks for a token as the first client, with other fields instead of some."""
    client, secret = shared.admin()

    def send(**fields):
        sent = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, **fields}
        return shared.form({name: value for name, value in sent.items() if value is not None})

    return send


# ---- client_credentials

def test_client_secret_post(ask):
    body = answer(ask())
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "read write admin")
    assert body["access_token"] and body["refresh_token"]


def test_client_secret_basic(shared):
    body = answer(shared.form({"grant_type": "client_credentials"}, [basic(*shared.admin()), FORM_HEADER]))
    assert shared.request("GET", "/api/v1/stores", token=body["access_token"]).status == 200


def test_the_scheme_has_no_case(shared):
    header = basic(*shared.admin()).replace("Basic", "bAsIC")
    answer(shared.form({"grant_type": "client_credentials"}, [header, FORM_HEADER]))


def test_a_charset_behind_the_content_type_is_fine(shared):
    client, secret = shared.admin()
    answer(shared.form({"grant_type": "client_credentials", "client_id": client, "client_secret": secret},
                       [f"Content-Type: {FORM}; charset=UTF-8"]))


@pytest.mark.parametrize("scope,granted", [("read", "read"), ("write", "read write"), ("admin", "read write admin"),
                                           ("read write", "read write"), ("", "read write admin"), (None, "read write admin")])
def test_scopes_are_granted_as_asked_for_and_write_includes_read(ask, scope, granted):
    assert answer(ask(scope=scope))["scope"] == granted


def test_a_token_is_good_for_its_scopes_alone(shared):
    token = shared.token(scope="read")
    assert shared.request("GET", "/api/v1/stores", token=token).status == 200
    reply = shared.request("POST", "/api/v1/stores", {"name": "never"}, token=token)
    problem(reply, 403)
    challenge = reply.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge and 'scope="write"' in challenge


@pytest.mark.parametrize("scope", ["read all", "READ", "read  write", " read", "read,write", "read\twrite"])
def test_a_scope_that_there_is_not_is_refused(ask, scope):
    refused(ask(scope=scope), "invalid_scope")


def register(server, client, scopes, grants):
    library(server.directory, "evdb_auth_client_add", client, f"secret of {client}", scopes, grants, None, None)
    return {"client_id": client, "client_secret": f"secret of {client}"}


def test_more_scopes_than_a_client_has_are_refused_by_name(shared, ask):
    reader = register(shared, "reader", READ, CLIENT_CREDENTIALS)
    assert answer(ask(**reader))["scope"] == "read"
    assert answer(ask(**reader, scope="read"))["scope"] == "read"
    for scope in ("write", "read write", "admin"):
        assert "client 'reader' has no more than the scopes 'read'" in refused(ask(**reader, scope=scope), "invalid_scope")


def test_a_grant_that_a_client_has_not_is_refused(shared, ask):
    plain = register(shared, "plain", READ, CLIENT_CREDENTIALS)
    assert "refresh_token" not in answer(ask(**plain))
    refused(ask(**plain, grant_type="refresh_token", refresh_token="any"), "unauthorized_client")
    renewer = register(shared, "renewer", READ | WRITE, REFRESH_TOKEN)
    refused(ask(**renewer), "unauthorized_client")


def test_a_refresh_token_of_another_client_is_refused(shared, ask):
    one, other = (register(shared, name, READ, CLIENT_CREDENTIALS | REFRESH_TOKEN) for name in ("one", "other"))
    token = answer(ask(**one))["refresh_token"]
    refused(ask(**other, grant_type="refresh_token", refresh_token=token), "invalid_grant")


def test_a_wrong_secret_and_an_unknown_client_are_told_apart_by_nobody(ask):
    wrong = refused(ask(client_secret="wrong"), "invalid_client", 401)
    assert refused(ask(client_id="nobody"), "invalid_client", 401) == wrong
    assert refused(ask(client_secret="x" * 10000), "invalid_client", 401) == wrong
    assert refused(ask(client_id="é\n\"'"), "invalid_client", 401) == wrong


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_credentials_are_needed(ask, missing):
    refused(ask(**{missing: None}), "invalid_client", 401)


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic !", "Basic YWJj", "Basic Og==", "Basic AAA6AAA=", "Basic YSZiOmM="])
def test_a_malformed_basic_header_is_refused(shared, header):
    refused(shared.form({"grant_type": "client_credentials"}, [f"Authorization: {header}", FORM_HEADER]), "invalid_client", 401)


def test_two_ways_to_say_the_secret_at_once_are_refused(shared):
    client, secret = shared.admin()
    fields = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    refused(shared.form(fields, [basic(client, secret), FORM_HEADER]), "invalid_request")


def test_the_client_may_be_named_in_the_body_too_when_it_is_the_same(shared):
    client, secret = shared.admin()
    answer(shared.form({"grant_type": "client_credentials", "client_id": client}, [basic(client, secret), FORM_HEADER]))


def test_another_client_in_the_body_than_in_the_header_is_refused(shared):
    fields = {"grant_type": "client_credentials", "client_id": "other"}
    refused(shared.form(fields, [basic(*shared.admin()), FORM_HEADER]), "invalid_request")


@pytest.mark.parametrize("grant", ["password", "implicit", "", "CLIENT_CREDENTIALS", "client_credentials "])
def test_an_unknown_grant_is_refused(ask, grant):
    refused(ask(grant_type=grant), "unsupported_grant_type")


def test_a_grant_is_needed(ask):
    refused(ask(grant_type=None), "invalid_request")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "scope", "refresh_token"])
def test_a_repeated_parameter_is_refused(shared, name):
    client, secret = shared.admin()
    fields = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": "read",
              "refresh_token": "x"}
    refused(shared.form([*fields.items(), (name, fields[name])]), "invalid_request")


@pytest.mark.parametrize("headers", [[], ["Content-Type: application/json"], ["Content-Type: text/plain"],
                                     ["Content-Type: application/x-www-form-urlencodedx"]], ids=["none", "json", "plain", "longer"])
def test_another_content_type_is_refused(shared, headers):
    refused(shared.form({"grant_type": "client_credentials"}, headers), "invalid_request")


def test_a_json_body_is_no_form(shared):
    refused(shared.form(json.dumps({"grant_type": "client_credentials"}).encode()), "invalid_request")


def test_parameters_nobody_knows_are_ignored(ask):
    answer(ask(subject="x", audience="x"))


# ---- refresh_token

@pytest.fixture
def refresh(ask):
    def send(token, **fields):
        return ask(grant_type="refresh_token", refresh_token=token, **fields)

    return send


def test_a_refresh_token_gets_a_new_pair_of_the_same_scopes(ask, refresh, shared):
    first = answer(ask(scope="write"))
    second = answer(refresh(first["refresh_token"]))
    assert second["scope"] == "read write"
    assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]
    for pair in (first, second):
        assert shared.request("GET", "/api/v1/stores", token=pair["access_token"]).status == 200


def test_fewer_scopes_may_be_asked_for_and_more_may_not(ask, refresh):
    pair = answer(ask(scope="write"))
    narrow = answer(refresh(pair["refresh_token"], scope="read"))
    assert narrow["scope"] == "read"
    # RFC 6749, section 6: the new refresh token keeps the scopes of the old one.
    wide = answer(refresh(narrow["refresh_token"], scope="write"))
    assert "write" in wide["scope"]
    reader = answer(ask(scope="read"))
    refused(refresh(reader["refresh_token"], scope="write"), "invalid_scope")


def test_a_refresh_token_used_again_ends_all_that_came_from_it(ask, refresh):
    first = answer(ask())
    second = answer(refresh(first["refresh_token"]))
    third = answer(refresh(second["refresh_token"]))
    refused(refresh(first["refresh_token"]), "invalid_grant")
    refused(refresh(third["refresh_token"]), "invalid_grant")
    other = answer(ask())
    answer(refresh(other["refresh_token"]))


def test_a_refresh_token_that_there_is_not_is_refused(ask, refresh):
    refused(refresh("x"), "invalid_grant")
    refused(refresh("x" * 5000), "invalid_grant")
    refused(refresh(answer(ask())["access_token"]), "invalid_grant")
    refused(ask(grant_type="refresh_token"), "invalid_request")


def test_a_refresh_token_is_no_access_token(ask, shared):
    reply = shared.request("GET", "/api/v1/stores", token=answer(ask())["refresh_token"])
    problem(reply, 401)
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_refresh_needs_the_client_s_secret(ask, refresh):
    pair = answer(ask())
    refused(refresh(pair["refresh_token"], client_secret="wrong"), "invalid_client", 401)
    answer(refresh(pair["refresh_token"]))


# ---- lifetimes

def test_lifetimes_come_from_the_configuration_in_milliseconds(start):
    server = start("--token-lifetime=90000", "--refresh-token-lifetime=1d")
    assert answer(server.grant())["expires_in"] == 90


def test_a_token_expires(start):
    server = start("--token-lifetime=1s")
    token = answer(server.grant())["access_token"]
    while (reply := server.request("GET", "/api/v1/stores", token=token)).status == 200:
        pass
    assert "expired" in problem(reply, 401)["detail"]


# ---- the path

@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_refused_with_those_allowed(shared, method):
    reply = shared.ask(method, "/oauth/token", endpoint="oauth")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/oauth", "/oauth/", "/oauth/tokens", "/oauth/token/", "/OAUTH/TOKEN", "/oauthtoken"])
def test_another_path_is_not_found(shared, path):
    problem(shared.ask("POST", path, endpoint="oauth"), 404)


@pytest.mark.parametrize("path,allow", [("/api/v1/stores", "POST, GET, HEAD, OPTIONS"), ("/api/v1/stores/s/search", "POST, OPTIONS"),
                                        ("/api/v1/stores/s", "GET, HEAD, DELETE, OPTIONS")])
def test_a_method_that_a_rest_path_has_not_is_refused_with_those_allowed(shared, path, allow):
    reply = shared.request("PATCH", path)
    problem(reply, 405)
    assert sorted(reply.headers["allow"].split(", ")) == sorted(allow.split(", "))


def test_a_rest_path_that_there_is_not_is_not_found(shared):
    for path in ("/api/v1", "/api/v1/", "/api/v2/stores", "/api/v1/stores/a/b/c"):
        problem(shared.request("GET", path), 404)
