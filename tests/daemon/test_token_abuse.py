"""test_token_abuse.py - requests that nobody sends in good faith to the token endpoint. Whatever comes, an error has the shape of RFC 6749,
5.2, and nobody may keep it; but for what is no request that HTTP knows, which is a problem of RFC 9457 for every endpoint."""
import json
import random

import pytest
from evdbd import FORM, basic, problem
from test_oauth import FORM_HEADER, answer, refused

NAMES = ("grant_type", "client_id", "client_secret", "scope", "refresh_token")
ERRORS = {"invalid_request": (400, 405), "invalid_client": (401,), "invalid_grant": (400,), "unauthorized_client": (400,),
          "unsupported_grant_type": (400,), "invalid_scope": (400,)}


@pytest.fixture
def good(shared):
    client, secret = shared.admin()
    return {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": "read"}


def judged(reply):
    """A refusal in RFC 6749's words; the code of it."""
    code = json.loads(reply.body)["error"]
    assert code in ERRORS and reply.status in ERRORS[code], (reply.status, reply.text)
    body = json.loads(reply.body)
    assert set(body) == {"error", "error_description"} and body["error_description"]
    assert all(32 <= ord(c) < 127 and c not in '"\\' for c in body["error"])
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store" and reply.headers["pragma"] == "no-cache"
    if reply.status == 401:
        assert reply.headers["www-authenticate"].startswith("Basic realm=")
    return code


def encoded(fields):
    return "&".join(f"{name}={value}" for name, value in fields.items())


# ---- pollution

@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("again", ["x", "", "admin"])
def test_a_parameter_may_not_be_said_again_in_front_or_behind_or_in_other_letters(shared, good, name, again):
    whole = encoded({**good, "refresh_token": "x"})
    hidden = "".join(f"%{ord(c):02x}" for c in name)
    for other in (name, hidden, name[0] + f"%{ord(name[1]):02X}" + name[2:]):
        for body in (f"{other}={again}&{whole}", f"{whole}&{other}={again}", f"{whole}&&{other}={again}&", f"{whole}&{other}"):
            assert refused(shared.form(body.encode()), "invalid_request") == "a parameter is given twice"


def test_a_query_says_nothing_and_changes_nothing(shared, good):
    headers = [FORM_HEADER]
    for query in (encoded(good), "scope=admin", "client_id=other", "grant_type=password", "x" * 4000):
        path = f"/oauth/token?{query}"
        refused(shared.ask("POST", path, b"", headers, "oauth"), "invalid_request")
        assert answer(shared.ask("POST", path, encoded(good).encode(), headers, "oauth"))["scope"] == "read"


@pytest.mark.parametrize("name", ["scope[]", "scope[0]", "scope.", " scope", "SCOPE", "scope;", "scope%20", "sc%6fpe%00"])
def test_names_that_only_look_like_a_parameter_are_none(shared, good, name):
    reply = shared.form(encoded({**good, name: "admin"}).encode())
    if "%00" in name:
        refused(reply, "invalid_request")
    else:
        assert answer(reply)["scope"] == "read"


def test_semicolons_and_commas_part_nothing(shared, good):
    reply = shared.form((encoded(good) + ";scope=admin").encode())
    refused(reply, "invalid_scope")
    refused(shared.form(encoded({**good, "scope": "read,write"}).encode()), "invalid_scope")


@pytest.mark.parametrize("headers", [["Authorization", "Authorization"], ["authorization", "AUTHORIZATION"]])
def test_two_authorization_headers_are_refused_whichever_is_right(shared, headers):
    client, secret = shared.admin()
    for pair in ((secret, "wrong secret"), ("wrong secret", secret), (secret, secret)):
        lines = [basic(client, one).replace("Authorization", name) for name, one in zip(headers, pair)]
        problem(shared.form({"grant_type": "client_credentials"}, [*lines, FORM_HEADER]), 400)


def test_two_content_types_are_refused(shared, good):
    for headers in ([FORM_HEADER, "Content-Type: application/json"], [FORM_HEADER, FORM_HEADER]):
        problem(shared.form(good, headers), 400)


# ---- what cannot be read

@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["%", "%4", "%zz", "a%00b", "%00", "ab%"])
def test_a_value_that_cannot_be_read_is_no_missing_one(shared, good, name, text):
    """A scope that is malformed must not become all scopes."""
    refused(shared.form(encoded({**good, name: text}).encode()), "invalid_request")


def test_a_zero_byte_hides_nothing_behind_it(shared, good):
    whole = encoded(good).encode()
    for body in (whole + b"\0", whole + b"\0&scope=admin", b"\0" + whole, whole.replace(b"read", b"re\0ad")):
        refused(shared.form(body), "invalid_request")


# ---- values, verbs, types

@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [257, 5000, 1 << 20])
def test_values_of_any_length_are_refused_in_words(shared, good, name, size):
    for letter in ("a", "%41", "+", "é", "\"", "\\", "\x01"):
        fields = {**good, name: letter * size}
        if name == "refresh_token":
            fields["grant_type"] = "refresh_token"
        assert judged(shared.form(encoded(fields).encode())) != "server_error"


def test_a_million_parameters_are_read(shared, good):
    body = encoded(good) + "&a=b" * 1000000
    assert answer(shared.form(body.encode()))["scope"] == "read"
    judged(shared.form(b"&" * 1000000))


def test_a_body_beyond_all_bounds_is_refused_before_it_is_read(shared):
    reply = shared.ask("POST", "/oauth/token", b"", [FORM_HEADER, f"Content-Length: {1 << 40}", "Expect: 100-continue"], "oauth")
    assert reply.status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post", "POSTX"])
def test_other_verbs_are_refused_in_the_same_shape(shared, good, method):
    for path in ("/oauth/token", "/oauth/token?" + encoded(good)):
        reply = shared.ask(method, path, b"", [FORM_HEADER], "oauth")
        if reply.status in (400, 501):  # no method of HTTP
            continue
        assert judged(reply) == "invalid_request" and (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx", "x", "",
                                  "text/html, " + FORM, "application/x-www-form-urlencoded,application/json"])
def test_other_types_are_refused_whatever_the_body_is(shared, good, type):
    for body in (encoded(good).encode(), json.dumps(good).encode(), b""):
        refused(shared.form(body, [f"Content-Type: {type}"]), "invalid_request")


# ---- anything

def test_any_bytes_get_a_refusal_of_the_right_shape(shared, good, rng: random.Random):
    pieces = [*NAMES, "=", "&", "%", "%2", "%26", "%3d", "+", "admin", "client_credentials", "refresh_token", "read", "\0", "é", ";", "[]", "a" * 300]
    for _ in range(400):
        body = "".join(rng.choice(pieces) for _ in range(rng.randrange(30))).encode()
        headers = [FORM_HEADER] + ([f"Authorization: Basic {rng.randbytes(rng.randrange(1, 30)).hex()}"] if rng.random() < 0.3 else [])
        judged(shared.form(body, headers))
    answer(shared.form(good))
