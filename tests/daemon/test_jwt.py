"""test_jwt.py - access tokens as others see them: signed claims, the keys that are published, and an end before their time."""
import base64
import json
import subprocess

import pytest
from evdbd import BUILD, FORM, problem

KEYS = ("/oauth/jwks", "/.well-known/jwks.json")


def part(token, which):
    text = token.split(".")[which]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def kid(token):
    return json.loads(part(token, 0))["kid"]


def published(server):
    reply = server.ask("GET", KEYS[0], endpoint="oauth")
    assert reply.status == 200
    return json.loads(reply.body)["keys"]


def fresh(server):
    return json.loads(server.grant().body)


def good(server, token):
    reply = server.request("GET", "/api/v1/stores", token=token)
    assert reply.status in (200, 401), reply.text
    return reply.status == 200


def evdb(server, *words, stdin=b""):
    done = subprocess.run([BUILD / "evdb", *words, "-d", server.directory, "--json"], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", KEYS)
def test_keys_are_published_to_everybody(shared, path):
    reply = shared.ask("GET", path, endpoint="oauth")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/jwk-set+json"
    assert reply.headers["cache-control"] == "public, max-age=300"
    keys = json.loads(reply.body)["keys"]
    assert len(keys) >= 2
    for key in keys:
        assert set(key) == {"kty", "crv", "alg", "use", "kid", "x"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert shared.ask("HEAD", path, endpoint="oauth").status == 200
    for method in ("POST", "PUT", "DELETE"):
        reply = shared.ask(method, path, endpoint="oauth")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
    for endpoint in ("rest", "mcp"):
        assert shared.ask("GET", path, endpoint=endpoint).status == 404


def test_another_implementation_verifies_our_tokens_by_our_keys(shared):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.exceptions import InvalidSignature

    token = fresh(shared)["access_token"]
    assert json.loads(part(token, 0))["typ"] == "at+jwt"
    claims = json.loads(part(token, 1))
    assert {"iss", "sub", "client_id", "aud", "scope", "iat", "exp", "jti"} <= set(claims)
    assert claims["sub"] == claims["client_id"] == "admin" and claims["scope"] == "read write admin"
    signed = token.rpartition(".")[0].encode()
    for key in published(shared):
        public = ed25519.Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
        if key["kid"] == kid(token):
            public.verify(part(token, 2), signed)
        else:
            with pytest.raises(InvalidSignature):
                public.verify(part(token, 2), signed)


def test_a_token_that_another_key_signed_under_our_key_s_name_is_refused(shared):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    token = fresh(shared)["access_token"]
    signed = token.rpartition(".")[0]
    forged = base64.urlsafe_b64encode(ed25519.Ed25519PrivateKey.generate().sign(signed.encode())).rstrip(b"=").decode()
    assert good(shared, token) and not good(shared, f"{signed}.{forged}")
    assert not good(shared, signed + ".") and not good(shared, signed)


def test_keys_are_rotated_and_tokens_of_before_stay_good(server):
    before = fresh(server)["access_token"]
    old = [key["kid"] for key in published(server)]
    reply = server.request("POST", "/api/v1/signing-keys/rotate")
    assert reply.status == 200, reply.text
    states = {key["key_id"]: key["state"] for key in json.loads(reply.body)["keys"]}
    after = fresh(server)["access_token"]
    assert kid(before) == old[0] and kid(after) == old[1]
    assert states[old[0]] == "retiring" and states[old[1]] == "active"
    assert [key["kid"] for key in published(server)] == list(states)
    assert good(server, before) and good(server, after)
    listed = evdb(server, "signing", "rotate")["keys"]  # another process
    assert listed[1]["state"] == "next" and [key["kid"] for key in published(server)] == [key["key_id"] for key in listed]
    assert kid(fresh(server)["access_token"]) == listed[0]["key_id"]
    assert good(server, before) and good(server, after)


def test_a_key_signs_as_long_as_the_configuration_says(start):
    server = start("--signing-key-lifetime=1s")
    first = kid(fresh(server)["access_token"])
    while kid(fresh(server)["access_token"]) == first:
        pass
    assert len(published(server)) >= 3


def test_a_revoked_token_is_refused_from_then_on(server):
    token = fresh(server)
    other = fresh(server)
    assert good(server, token["access_token"])
    reply = server.request("POST", "/api/v1/tokens/revoke", {"token": token["access_token"]}, token=other["access_token"])
    assert reply.status == 200, reply.text
    assert not good(server, token["access_token"]) and good(server, other["access_token"])
    problem(server.request("POST", "/api/v1/tokens/revoke", {"token": token["access_token"]}, token=other["access_token"]), 404)
    third = fresh(server)
    jti = json.loads(part(third["access_token"], 1))["jti"]
    assert evdb(server, "token", "revoke", "--token", "-", stdin=jti.encode()) == {"revoked": True}  # another process
    assert not good(server, third["access_token"])
    assert evdb(server, "token", "revoke", "--token", "-", stdin=other["refresh_token"].encode()) == {"revoked": True}
    assert not good(server, other["access_token"])


def test_tokens_may_be_opaque(start):
    server = start("--token-format=opaque")
    token = fresh(server)["access_token"]
    assert token.startswith("evdb1.") and token.count(".") == 1
    assert good(server, token)
    form = {"grant_type": "refresh_token", "client_id": "admin", "client_secret": server.admin()[1],
            "refresh_token": fresh(server)["refresh_token"]}
    assert json.loads(server.form(form, [f"Content-Type: {FORM}"]).body)["access_token"].startswith("evdb1.")
