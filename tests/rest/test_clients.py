"""test_clients.py - registering those who may get tokens, over REST."""
import pytest


def grant(daemon, client, secret, **form):
    return daemon.grant(grant_type="client_credentials", client_id=client, client_secret=secret, **form)


def test_a_registered_client_gets_tokens_until_it_is_removed(daemon):
    reply = daemon.ask("POST", "/api/v1/clients", {"client_id": "app", "scopes": ["read", "write"],
                                                   "grant_types": ["client_credentials", "refresh_token"]})
    assert reply.status == 201 and reply.headers["Location"] == "/api/v1/clients/app"
    assert reply.headers["Cache-Control"] == "no-store"
    secret = reply.json["client_secret"]
    token = grant(daemon, "app", secret).json
    assert token["scope"] == "read write" and token["refresh_token"]
    assert daemon.ask("GET", "/api/v1/stores", token=token["access_token"]).status == 200
    daemon.ask("GET", "/api/v1/clients", token=token["access_token"]).problem(403, "'admin'")
    assert "app" in [client["client_id"] for client in daemon.good("GET", "/api/v1/clients")["clients"]]
    assert secret.encode() not in daemon.ask("GET", "/api/v1/clients").body
    assert daemon.good("DELETE", "/api/v1/clients/app") == {"removed": "app"}
    daemon.ask("GET", "/api/v1/stores", token=token["access_token"]).problem(401, "revoked")
    assert grant(daemon, "app", secret).status == 401
    daemon.ask("DELETE", "/api/v1/clients/app").problem(404, "'app'")


def test_a_rotated_client_has_another_secret_and_no_tokens(daemon):
    first = daemon.good("POST", "/api/v1/clients", {"client_id": "turner"})["client_secret"]
    token = grant(daemon, "turner", first).json["access_token"]
    reply = daemon.ask("POST", "/api/v1/clients/turner/rotate")
    assert reply.headers["Cache-Control"] == "no-store"
    second = reply.json["client_secret"]
    assert second != first and grant(daemon, "turner", first).status == 401
    daemon.ask("GET", "/api/v1/stores", token=token).problem(401)
    assert grant(daemon, "turner", second).status == 200
    assert "client_secret" not in daemon.good("POST", "/api/v1/clients/turner/rotate", {"client_secret": "chosen by hand"})
    assert grant(daemon, "turner", "chosen by hand").status == 200


def test_a_chosen_secret_is_not_told_again(daemon):
    reply = daemon.good("POST", "/api/v1/clients", {"client_id": "chooser", "client_secret": "a secret of mine"})
    assert reply == {"client_id": "chooser", "scopes": ["read"], "grant_types": ["client_credentials"],
                     "token_endpoint_auth_method": "client_secret_basic"}
    assert grant(daemon, "chooser", "a secret of mine", scope="read").status == 200
    assert grant(daemon, "chooser", "a secret of mine", scope="write").json["error"] == "invalid_scope"


@pytest.mark.parametrize("client,status,says", [
    ({"client_id": "admin"}, 409, "'admin'"), ({"client_id": "a b"}, 400, "printable"), ({}, 400, "'client_id' is required"),
    ({"client_id": "x", "client_secret": "admin_secret_2024"}, 400, "published"),
    ({"client_id": "x", "client_secret": "short"}, 400, "8 to 256"), ({"client_id": "x", "scopes": ["root"]}, 400, "'root'"),
    ({"client_id": "x", "grant_types": ["password"]}, 400, "'password'"), ({"client_id": "x", "scopes": "read"}, 400, "array"),
    ({"client_id": "x", "secrets": 1}, 400, "'secrets'"),
], ids=range(9))
def test_what_is_no_client_is_refused(daemon, client, status, says):
    daemon.ask("POST", "/api/v1/clients", client).problem(status, says)
    assert "x" not in [one["client_id"] for one in daemon.good("GET", "/api/v1/clients")["clients"]]


def test_scopes_of_some_stores_open_these_alone(daemon):
    for name in ("one-a", "one-b", "other"):
        daemon.good("POST", "/api/v1/stores", {"name": name, "dim": 2, "metric": "euclidean"})
    secret = daemon.good("POST", "/api/v1/clients", {"client_id": "some", "scopes": ["write:one-a", "read:one-*"]})["client_secret"]
    reply = grant(daemon, "some", secret).json
    token = reply["access_token"]
    assert reply["scope"] == "write:one-a read:one-*"

    def ask(method, path, body=None):
        return daemon.ask(method, path, body, token=token)

    assert ask("POST", "/api/v1/stores/one-a/vectors", {"id": 1, "vector": [1, 2]}).status == 201
    assert ask("POST", "/api/v1/stores/one-b/search", {"vector": [1, 2]}).status == 200
    ask("POST", "/api/v1/stores/one-b/vectors", {"id": 1, "vector": [1, 2]}).problem(403, "'write:one-b'")
    ask("POST", "/api/v1/stores/other/search", {"vector": [1, 2]}).problem(403, "'read:other'")
    ask("POST", "/api/v1/stores/none-here/search", {"vector": [1, 2]}).problem(403, "'read:none-here'")  # nor does it tell what there is
    ask("POST", "/api/v1/stores/one-a/rename", {"new_name": "mine"}).problem(403, "'write:one-a write:mine'")
    ask("POST", "/api/v1/stores", {"name": "mine", "dim": 2}).problem(403, "'write:mine'")
    assert ask("POST", "/api/v1/stores", {"name": "one-a", "dim": 2}).status == 409  # it may be made, but is there
    ask("POST", "/api/v1/stores/one-a/backups", {}).problem(403, "'admin'")
    ask("GET", "/api/v1/clients").problem(403, "'admin'")
    ask("POST", "/api/v1/compression/compress", {"algorithm": "zstd", "vector": [1, 2]}).problem(403, "'read'")
    assert [s["name"] for s in ask("GET", "/api/v1/stores").json["stores"]] == ["one-a", "one-b"]
    assert {"other"}.isdisjoint(i["store"] for i in ask("GET", "/api/v1/indexes").json["indexes"])
    assert grant(daemon, "some", secret, scope="read:one-b").json["scope"] == "read:one-b"
    assert grant(daemon, "some", secret, scope="read").json["error"] == "invalid_scope"
    assert grant(daemon, "some", secret, scope="write:one-b").json["error"] == "invalid_scope"
