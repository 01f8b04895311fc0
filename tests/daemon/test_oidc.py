"""test_oidc.py - access tokens of an OpenID Connect issuer on loopback, accepted beside evdbd's own."""
import base64
import hashlib
import hmac
import json
import threading
import time

import pytest
from evdbd import problem
from oidc_issuer import Issuer
from signing_keys import Key, encode, needs_openssl, openssl

pytestmark = needs_openssl
PATIENCE = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    return {name: Key(directory, name, kid=name) for name in ("RS256", "ES256", "EdDSA")}


@pytest.fixture
def issuer(keys):
    made = Issuer(list(keys.values()))
    yield made
    made.stop()


def flags(issuer, **more):
    return [f"--oidc_issuer={issuer.url}", "--oidc_audience=https://evdb.example", *(f"--oidc_{name}={value}" for name, value in more.items())]


def claims(issuer, **more):
    at = int(time.time())
    all_of_them = {"iss": issuer.url, "sub": "ann", "aud": "https://evdb.example", "exp": at + 300, "iat": at, "scope": "openid read", **more}
    return {name: value for name, value in all_of_them.items() if value is not None}


def stores(server, token):
    return server.request("GET", "/api/v1/stores", token=token)


def accepted(server, token):
    """The reply, once the issuer's keys have been fetched."""
    end = time.monotonic() + PATIENCE
    while (reply := stores(server, token)).status in (401, 503) and time.monotonic() < end:
        pass
    assert reply.status == 200, reply.text
    return reply


def denied(server, token, why=""):
    reply = stores(server, token)
    assert why in problem(reply, 401)["detail"]
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


@pytest.fixture
def both(start, issuer, keys):
    server = start(*flags(issuer))
    accepted(server, keys["RS256"].token(claims(issuer)))
    return server, issuer


@pytest.mark.parametrize("name", ["RS256", "ES256", "EdDSA"])
def test_its_tokens_are_accepted_with_their_scopes(both, keys, name):
    server, issuer = both
    key = keys[name]
    assert stores(server, key.token(claims(issuer))).status == 200
    assert stores(server, key.token(claims(issuer, aud=["x", "https://evdb.example"]), typ="at+jwt")).status == 200
    assert server.request("POST", "/api/v1/stores", {"name": name.lower(), "metric": "cosine"}, token=key.token(claims(issuer, scope="read"))).status == 403
    assert server.request("POST", "/api/v1/stores", {"name": name.lower(), "metric": "cosine"}, token=key.token(claims(issuer, scope="write x"))).status == 201
    reply = stores(server, key.token(claims(issuer, scope="other")))
    assert problem(reply, 403) and 'error="insufficient_scope"' in reply.headers["www-authenticate"]


def test_a_token_that_is_no_good_is_refused(both, keys, tmp_path):
    server, issuer = both
    key, at = keys["ES256"], int(time.time())
    denied(server, key.token(claims(issuer, iss="https://other.example")))
    denied(server, key.token(claims(issuer, iss=issuer.url + "/")))
    denied(server, key.token(claims(issuer, aud="https://other.example")), "aud")
    denied(server, key.token(claims(issuer, aud=None)), "aud")
    denied(server, key.token(claims(issuer, exp=at - 120)), "expired")
    denied(server, key.token(claims(issuer, exp=None)), "exp")
    denied(server, key.token(claims(issuer, nbf=at + 300)), "nbf")
    denied(server, key.token(claims(issuer, sub=None)), "sub")
    denied(server, key.token(claims(issuer, cnf={"jkt": "x"})), "cnf")
    denied(server, key.token(claims(issuer), crit=["exp"]))
    denied(server, key.token(claims(issuer))[:-2], "")
    denied(server, Key(tmp_path, "ES256", kid="ES256").token(claims(issuer)), "signature")
    assert stores(server, key.token(claims(issuer))).status == 200


def test_its_algorithm_is_the_keys(both, keys):
    server, issuer = both
    body = encode(claims(issuer))
    for name, key in keys.items():
        for other in keys:
            if other != name:
                denied(server, key.token(claims(issuer), alg=other), "alg")
                denied(server, key.token(claims(issuer), kid=other))
        for none in ("none", "None", "nOnE"):
            denied(server, f"{encode({'alg': none, 'kid': name})}.{body}.")
    pem = openssl("pkey", "-in", keys["RS256"].file, "-pubout")
    for secret in (pem, pem.strip(), json.dumps(keys["RS256"].jwk()).encode(), b""):
        text = f"{encode({'alg': 'HS256', 'kid': 'RS256'})}.{body}"
        mac = base64.urlsafe_b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
        denied(server, f"{text}.{mac}", "alg")


def test_settings_say_which_claims_count(start, issuer, keys):
    server = start(*flags(issuer, scope_claim="roles", scope_prefix="evdb:", client_claim="azp"))
    accepted(server, keys["EdDSA"].token(claims(issuer, azp="app", roles=["evdb:read", "admin"])))
    assert stores(server, keys["EdDSA"].token(claims(issuer, azp="app", roles=["read"]))).status == 403
    denied(server, keys["EdDSA"].token(claims(issuer, roles=["evdb:read"])), "azp")


def test_keys_are_followed_as_they_change(both, tmp_path):
    server, issuer = both
    old, new = issuer.keys[0], Key(tmp_path, "ES256", kid="new")
    assert stores(server, old.token(claims(issuer))).status == 200
    issuer.keys = [new]
    denied(server, new.token(claims(issuer)))
    accepted(server, new.token(claims(issuer)))
    denied(server, old.token(claims(issuer)))


def test_made_up_keys_do_not_become_requests(both, tmp_path):
    server, issuer = both
    before, key, began = issuer.asked, Key(tmp_path, "EdDSA", kid="x"), time.monotonic()
    head, body, signature = key.token(claims(issuer)).split(".")
    client = server.client()
    for number in range(500):
        header = encode({"alg": "EdDSA", "kid": str(number)})
        assert server.request("GET", "/api/v1/stores", token=f"{header}.{body}.{signature}", client=client).status == 401
    # One at once, others after a second, two, four ...
    assert issuer.asked - before <= 3 + (time.monotonic() - began) / 2


def test_an_issuer_that_hangs_holds_up_nobody(start, issuer, keys):
    issuer.mode = "hang"
    server = start(*flags(issuer))
    theirs, ours = keys["RS256"].token(claims(issuer)), server.token()
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(stores(server, theirs).status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert stores(server, ours).status == 200
    for thread in threads:
        thread.join(PATIENCE)
    assert statuses == [503] * 20
    body = problem(stores(server, theirs), 503)
    assert issuer.url in body["detail"]
    issuer.mode = "fine"
    issuer.open.set()
    accepted(server, theirs)
    # Nor afterwards, when it is asked for a key that is not known.
    issuer.open.clear()
    issuer.mode = "hang"
    denied(server, keys["RS256"].token(claims(issuer), kid="unknown"))
    for _ in range(20):
        assert stores(server, ours).status == 200 and stores(server, theirs).status == 200
    server.stop()  # ends at once, though a request hangs


@pytest.mark.parametrize("mode", ["fail", "redirect", "large"])
def test_what_is_no_answer_is_told_and_tried_again(start, issuer, keys, mode):
    issuer.mode = mode
    server = start(*flags(issuer))
    entry = server.wait_for("the keys of the issuer cannot be fetched; it is tried again")
    assert entry["level"] == "warning" and {"fail": "500", "redirect": "302", "large": "bytes"}[mode] in entry["detail"]
    assert stores(server, keys["RS256"].token(claims(issuer))).status == 503
    issuer.mode = "fine"
    accepted(server, keys["RS256"].token(claims(issuer)))


@pytest.mark.parametrize("document", [{"issuer": "https://other.example"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": "http://127.0.0.1:1/keys"}])
def test_a_document_that_is_not_its_own_is_refused(start, issuer, keys, document):
    issuer.document = document
    server = start(*flags(issuer))
    server.wait_for("the keys of the issuer cannot be fetched; it is tried again")
    assert stores(server, keys["RS256"].token(claims(issuer))).status == 503
    assert issuer.asked == 0


def test_small_keys_are_left_out(start, issuer, keys, tmp_path):
    small = Key(tmp_path, "RS256", kid="small", bits=1024)
    issuer.keys = [small, keys["EdDSA"], {"kty": "oct", "k": "AAAA", "kid": "mac"}]
    server = start(*flags(issuer))
    accepted(server, keys["EdDSA"].token(claims(issuer)))
    denied(server, small.token(claims(issuer)))


def test_certificates_are_checked(start, keys, tmp_path):
    certificate, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=issuer",
            "-addext", "subjectAltName=IP:127.0.0.1")
    issuer = Issuer(list(keys.values()), certificate=(certificate, key))
    try:
        server = start(*flags(issuer), directory=tmp_path / "a")
        server.wait_for("the keys of the issuer cannot be fetched; it is tried again")
        assert stores(server, keys["RS256"].token(claims(issuer))).status == 503
        server = start(*flags(issuer, ca_file=certificate), directory=tmp_path / "b")
        accepted(server, keys["RS256"].token(claims(issuer)))
    finally:
        issuer.stop()
