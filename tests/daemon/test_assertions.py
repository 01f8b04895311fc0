"""test_assertions.py - how clients show who they are at the token endpoint: assertions signed with their own keys (private_key_jwt), names
alone (public clients), and one way a request."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time
import uuid

import pytest
from evdbd import FORM, basic
from signing_keys import Key, encode, needs_openssl

pytestmark = needs_openssl
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM_HEADER = f"Content-Type: {FORM}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    return {name: Key(directory, name, kid=name) for name in ("RS256", "ES256", "EdDSA")}


def register(server, client, jwks, **more):
    reply = server.request("POST", "/api/v1/clients", {"client_id": client, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, **more})
    assert reply.status == 201, reply.text
    assert "client_secret" not in json.loads(reply.body)


@pytest.fixture(scope="module")
def signing(shared, keys):
    """A server with one client, `signer`, of three keys."""
    register(shared, "signer", {"keys": [key.jwk(use="sig", alg=name) for name, key in keys.items()]}, scopes=["write"])
    register(shared, "other", {"keys": [keys["EdDSA"].jwk()]})
    return shared


def claims(server, client="signer", **more):
    at = int(time.time())
    every = {"iss": client, "sub": client, "aud": f"http://127.0.0.1:{server.ports['oauth']}/oauth/token", "exp": at + 60, "iat": at,
             "jti": str(uuid.uuid4()), **more}
    return {name: value for name, value in every.items() if value is not None}


def ask(server, assertion, headers=(FORM_HEADER,), **fields):
    sent = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion, **fields}
    return server.form({name: value for name, value in sent.items() if value is not None}, list(headers))


def refused(reply, error="invalid_client", status=401):
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/json" and reply.headers["cache-control"] == "no-store"
    body = json.loads(reply.body)
    assert body["error"] == error and set(body) == {"error", "error_description"}
    assert ("www-authenticate" in reply.headers) == (status == 401)
    return body["error_description"]


@pytest.mark.parametrize("name", ["RS256", "ES256", "EdDSA"])
def test_a_client_signs_for_its_token(signing, keys, name):
    key, port = keys[name], signing.ports["oauth"]
    for aud in (f"http://127.0.0.1:{port}", f"http://localhost:{port}/oauth/token", ["x", f"http://[::1]:{port}"]):
        reply = ask(signing, key.token(claims(signing, aud=aud)))
        assert reply.status == 200, reply.text
        body = json.loads(reply.body)
        assert body["scope"] == "read write"
        assert signing.request("GET", "/api/v1/stores", token=body["access_token"]).status == 200
    assert ask(signing, key.token(claims(signing)), client_id="signer", scope="read").status == 200
    assert ask(signing, key.token(claims(signing, exp=int(time.time()) + 3600))).status == 200  # ten minutes of it
    assert ask(signing, key.token(claims(signing), kid=None)).status == 200  # the only one for its algorithm


def test_an_assertion_is_good_once(signing, keys):
    assertion = keys["ES256"].token(claims(signing))
    assert ask(signing, assertion).status == 200
    assert "used before" in refused(ask(signing, assertion))
    # Nor with another signature, of which ES256 has many for the same text.
    same = claims(signing, jti="the same")
    assert ask(signing, keys["ES256"].token(same)).status == 200
    refused(ask(signing, keys["ES256"].token(same)))
    # Another client's jti is its own.
    assert ask(signing, keys["EdDSA"].token(claims(signing, client="other", jti="the same"))).status == 200


def test_of_many_at_once_one_wins(signing, keys):
    assertion = keys["EdDSA"].token(claims(signing))
    with concurrent.futures.ThreadPoolExecutor(8) as crew:
        statuses = [reply.status for reply in crew.map(lambda _: ask(signing, assertion), range(40))]
    assert sorted(statuses) == [200] + [401] * 39


def test_what_is_no_good_is_refused(signing, keys, tmp_path):
    key, at, port = keys["ES256"], int(time.time()), signing.ports["oauth"]
    bad = {"iss": "other", "sub": "other", "aud": f"http://127.0.0.1:{port}/", "exp": at - 60, "iat": at + 300, "nbf": at + 300}
    for name, value in bad.items():
        refused(ask(signing, key.token(claims(signing, **{name: value}))))
    for name in ("iss", "sub", "aud", "exp", "jti"):
        refused(ask(signing, key.token(claims(signing, **{name: None}))))
    assert "minutes ahead" in refused(ask(signing, key.token(claims(signing, exp=at + 700, iat=None))))
    refused(ask(signing, key.token(claims(signing, aud="https://elsewhere.example"))))
    refused(ask(signing, key.token(claims(signing), crit=["exp"])))
    refused(ask(signing, "no.assertion.this"))
    refused(ask(signing, key.token(claims(signing)), client_id="other"))
    assert ask(signing, key.token(claims(signing))).status == 200


def test_the_host_of_a_request_is_nobodys_audience(signing, keys):
    assertion = keys["EdDSA"].token(claims(signing, aud="http://elsewhere.example/oauth/token"))
    assert "aud" in refused(ask(signing, assertion, headers=(FORM_HEADER, "X-Forwarded-Host: elsewhere.example")))


def test_it_must_be_signed_by_a_key_of_the_client(signing, keys, tmp_path):
    stranger = Key(tmp_path, "ES256", kid="ES256")
    wrong = refused(ask(signing, stranger.token(claims(signing))))
    # What there is nobody learns: not of clients, nor of how they show who they are.
    assert refused(ask(signing, stranger.token(claims(signing, client="nobody")))) == wrong
    assert refused(ask(signing, stranger.token(claims(signing, client="é")))) == wrong
    assert refused(ask(signing, stranger.token(claims(signing, client="admin")))) == wrong
    assert refused(ask(signing, keys["ES256"].token(claims(signing), kid="unknown"))) == wrong
    assert refused(ask(signing, keys["RS256"].token(claims(signing, client="other")))) == wrong
    body = encode(claims(signing))
    for header in ({"alg": "none"}, {"alg": "none", "kid": "ES256"}):
        assert refused(ask(signing, f"{encode(header)}.{body}.")) == wrong
    text = f"{encode({'alg': 'HS256', 'kid': 'RS256'})}.{body}"
    mac = hmac.new(json.dumps(keys["RS256"].jwk()).encode(), text.encode(), hashlib.sha256).digest()
    assert refused(ask(signing, f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")) == wrong


def test_one_way_a_request(signing, keys):
    key = keys["ES256"]
    refused(ask(signing, key.token(claims(signing)), client_secret="secret of mine"), "invalid_request", 400)
    refused(ask(signing, key.token(claims(signing)), headers=(FORM_HEADER, basic("signer", "secret of mine"))), "invalid_request", 400)
    refused(ask(signing, key.token(claims(signing)), client_assertion_type=None), "invalid_request", 400)
    refused(ask(signing, None), "invalid_request", 400)
    refused(ask(signing, key.token(claims(signing)), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"))
    twice = [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", key.token(claims(signing)))]
    refused(signing.form([*twice, twice[-1]]), "invalid_request", 400)


def test_as_it_was_registered_and_not_otherwise(signing, keys):
    """A client with keys has no secret; one with a secret, or a public one, signs nothing."""
    for fields in ({"client_id": "signer"}, {"client_id": "signer", "client_secret": "any secret"}, {"client_id": "signer", "client_secret": ""},
                   {"client_id": "admin"}):
        refused(signing.form({"grant_type": "client_credentials", **fields}))
    refused(signing.form({"grant_type": "client_credentials"}, [basic("signer", ""), FORM_HEADER]))
    reply = signing.request("POST", "/api/v1/clients", {"client_id": "public", "token_endpoint_auth_method": "none", "grant_types": ["refresh_token"]})
    assert reply.status == 201, reply.text
    # It is known by its name, and what it then may is another question.
    refused(signing.form({"grant_type": "client_credentials", "client_id": "public"}), "unauthorized_client", 400)
    refused(signing.form({"grant_type": "refresh_token", "client_id": "public", "refresh_token": "any"}), "invalid_grant", 400)
    refused(signing.form({"grant_type": "client_credentials", "client_id": "public", "client_secret": "any secret"}))
    refused(ask(signing, keys["ES256"].token(claims(signing, client="public"))))


def test_refresh_tokens_need_an_assertion_of_their_own(signing, keys):
    key = keys["ES256"]
    register(signing, "renewer", {"keys": [key.jwk()]}, grant_types=["client_credentials", "refresh_token"])
    token = json.loads(ask(signing, key.token(claims(signing, client="renewer"))).body)["refresh_token"]
    refused(signing.form({"grant_type": "refresh_token", "client_id": "renewer", "refresh_token": token}))
    renewed = {"grant_type": "refresh_token", "refresh_token": token}
    assert ask(signing, key.token(claims(signing, client="renewer")), **renewed).status == 200
    refused(ask(signing, key.token(claims(signing, client="renewer")), **renewed), "invalid_grant", 400)


def test_keys_that_cannot_be_used_are_told_to_the_client(signing, keys, tmp_path):
    small = Key(tmp_path, "RS256", kid="small", bits=1024)
    register(signing, "small", {"keys": [small.jwk()]})
    assert "2048 bits" in refused(ask(signing, small.token(claims(signing, client="small"))))


def test_what_was_made_before_the_start_may_have_been_used(signing, keys):
    assert "before this server was started" in refused(ask(signing, keys["ES256"].token(claims(signing, iat=int(time.time()) - 300))))


def test_a_server_with_a_url_takes_what_is_for_it_alone(start, keys):
    server = start("--issuer=https://db.example/")
    register(server, "signer", {"keys": [keys["ES256"].jwk()]})
    for aud in ("https://db.example/", "https://db.example/oauth/token"):
        assert ask(server, keys["ES256"].token(claims(server, aud=aud))).status == 200
    for aud in ("https://db.example", "https://db.example//oauth/token", claims(server)["aud"]):
        assert "aud" in refused(ask(server, keys["ES256"].token(claims(server, aud=aud))))
