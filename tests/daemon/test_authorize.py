"""test_authorize.py - the authorization endpoint, from a browser's page to tokens, and what is tried against it."""
import concurrent.futures
import json
import re
import urllib.parse

import pytest
from browser import CALLBACK, PASSWORD, USER, Browser, Form, add_user, answered, asking, issuer, redeem, register, verifier_and_challenge
from evdbd import problem


@pytest.fixture(scope="module")
def prepared(shared):
    register(shared)
    register(shared, "other", redirect_uris=["https://other.example/cb", "http://localhost/cb"])
    add_user(shared)
    return shared


def code_for(server, **changes):
    verifier, challenge = verifier_and_challenge()
    answer = Browser(server).allow(asking(challenge, **changes))
    return answer["code"], verifier


def tokens_for(server, **changes):
    code, verifier = code_for(server, **changes)
    reply = redeem(server, code, verifier)
    assert reply.status == 200, reply.text
    return json.loads(reply.body)


def good(server, token, endpoint="rest"):
    reply = server.request("GET", "/api/v1/stores", token=token)
    assert reply.status in (200, 401)
    return reply.status == 200


def oauth_error(reply, status, code):
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store" and reply.headers["pragma"] == "no-cache"
    body = json.loads(reply.body)
    assert body["error"] == code, body
    assert set(body) == {"error", "error_description"}
    if status == 401:
        assert reply.headers["www-authenticate"].startswith("Basic ")


# ---- the way it goes

def test_from_login_to_a_token_that_works_and_is_refreshed(prepared):
    verifier, challenge = verifier_and_challenge()
    browser, query = Browser(prepared), asking(challenge, scope="read")
    assert "Log in to evdb" in browser.open(query).text
    consent = browser.submit(query, "login", user=USER, password=PASSWORD)
    assert "read and search all stores" in consent.text and "change" not in consent.text
    assert "127.0.0.1:4711" in consent.text
    answer = answered(browser.submit(query, "allow"))
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == "st&te" and answer["iss"] == issuer(prepared)
    reply = redeem(prepared, answer["code"], verifier)
    assert reply.status == 200 and reply.headers["cache-control"] == "no-store"
    tokens = json.loads(reply.body)
    assert tokens["token_type"] == "Bearer" and tokens["scope"] == "read"
    assert good(prepared, tokens["access_token"])
    denied = prepared.request("POST", "/api/v1/stores", {"name": "x"}, token=tokens["access_token"])
    assert denied.status == 403 and 'scope="write"' in denied.headers["www-authenticate"]
    again = prepared.form({"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]})
    assert again.status == 200 and good(prepared, json.loads(again.body)["access_token"])


def test_a_session_needs_no_second_password_but_a_second_yes(prepared):
    _, challenge = verifier_and_challenge()
    browser = Browser(prepared)
    browser.allow(asking(challenge))
    reply = browser.open(asking(challenge, state="2"))
    assert reply.status == 200 and "Allow access?" in reply.text
    assert answered(browser.submit(asking(challenge, state="2"), "allow"))["state"] == "2"
    browser.open(asking(challenge))
    assert "Log in to evdb" in browser.submit(asking(challenge), "leave").text
    assert "Log in to evdb" in browser.open(asking(challenge)).text


@pytest.mark.parametrize("step", ("deny", "cancel"))
def test_who_says_no_sends_the_client_away_without_a_code(prepared, step):
    _, challenge = verifier_and_challenge()
    browser = Browser(prepared)
    browser.log_in(asking(challenge)) if step == "deny" else browser.open(asking(challenge))
    answer = answered(browser.submit(asking(challenge), step))
    assert answer["error"] == "access_denied" and answer["state"] == "st&te" and answer["iss"] == issuer(prepared) and "code" not in answer


def test_a_confidential_client_shows_its_secret_as_well(prepared):
    secret = register(prepared, "web", token_endpoint_auth_method="client_secret_basic", redirect_uris=["https://web.example/cb"])["client_secret"]
    verifier, challenge = verifier_and_challenge()
    query = asking(challenge, client_id="web", redirect_uri="https://web.example/cb")
    browser = Browser(prepared)
    browser.log_in(query)
    code = answered(browser.submit(query, "allow"), "https://web.example/cb")["code"]
    common = {"client_id": "web", "redirect_uri": "https://web.example/cb"}
    oauth_error(redeem(prepared, code, verifier, **common), 401, "invalid_client")
    oauth_error(redeem(prepared, code, verifier, client_secret="wrong secret", **common), 401, "invalid_client")
    assert redeem(prepared, code, verifier, client_secret=secret, **common).status == 200


# ---- pages

def test_pages_have_no_scripts_and_cannot_be_framed_kept_or_told_of(prepared):
    _, challenge = verifier_and_challenge()
    browser, query = Browser(prepared), asking(challenge)
    replies = [browser.open(query), browser.submit(query, "login", user=USER, password=PASSWORD),
               Browser(prepared).open(asking(challenge, client_id="nobody"))]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-") and "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
        assert reply.headers["x-frame-options"] == "DENY" and reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer" and reply.headers["cache-control"] == "no-store"
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert not Form(reply.text).tags & {"script", "link", "img", "iframe", "object"}
        assert not re.search(r"\son\w+=|style=\"|https?://", reply.text.partition("</style>")[2].replace(CALLBACK, ""))
    cookie = replies[0].headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/oauth/authorize" in cookie and "Max-Age=600" in cookie
    assert "form-action 'self' http://127.0.0.1:4711;" in replies[0].headers["content-security-policy"]
    assert "form-action 'self';" in replies[2].headers["content-security-policy"]


def test_names_of_clients_are_text_and_nothing_else(prepared):
    register(prepared, "odd", client_name="<script>alert(1)</script>&\"'")
    _, challenge = verifier_and_challenge()
    page = Browser(prepared).open(asking(challenge, client_id="odd")).text
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;" in page


def test_a_wrong_password_and_an_unknown_name_look_alike(prepared):
    _, challenge = verifier_and_challenge()
    pages = []
    for user, password in ((USER, "wrong password"), ("nobody", PASSWORD), (USER, ""), ("a b", "x")):
        reply = Browser(prepared).log_in(asking(challenge), user, password)
        assert reply.status == 401
        pages.append(re.sub(r'value="[^"]*"', "", reply.text))
    assert len(set(pages)) == 1


def test_who_guesses_passwords_waits_and_no_password_is_looked_at(start):
    server = start("--throttle-failures", "3")
    register(server)
    add_user(server)
    _, challenge = verifier_and_challenge()
    replies = [Browser(server).log_in(asking(challenge), USER, f"wrong password {i}") for i in range(6)]
    assert [reply.status for reply in replies[:3]] == [401] * 3 and replies[-1].status == 429
    assert int(replies[-1].headers["retry-after"]) >= 1 and "Wait a little" in replies[-1].text
    assert Browser(server).log_in(asking(challenge)).status == 429  # the right one, too: nothing tells them apart
    assert redeem(server, "x", "y" * 43).status == 400  # and clients are not users


def test_a_crowd_that_logs_in_at_once_is_served_or_told_to_come_again(start):
    server = start("--throttle-failures", "0")
    register(server)
    add_user(server)
    _, challenge = verifier_and_challenge()
    with concurrent.futures.ThreadPoolExecutor(16) as crowd:
        replies = list(crowd.map(lambda i: Browser(server).log_in(asking(challenge), USER, f"wrong password {i}"), range(48)))
    assert {reply.status for reply in replies} <= {401, 503} and 401 in {reply.status for reply in replies}
    assert all(reply.headers["retry-after"] == "1" for reply in replies if reply.status == 503)
    assert Browser(server).log_in(asking(challenge)).status == 200  # whoever was under way has left


# ---- forms and sessions

def test_a_form_of_another_session_or_request_does_nothing(prepared):
    _, challenge = verifier_and_challenge()
    query, other = asking(challenge), asking(challenge, scope="write", state="other")
    mine, theirs = Browser(prepared), Browser(prepared)
    mine.log_in(query)
    theirs.log_in(query)
    planted = dict(theirs.page.fields)
    for fields in (planted, {}, {"form": ""}, {"form": "A" * 43}):
        reply = mine.send("POST", query, {**fields, "step": "allow"})
        assert reply.status == 401 and "location" not in reply.headers
        mine.log_in(query)
    assert mine.submit(other, "allow").status == 401  # a yes to one request is no yes to another
    mine.log_in(query)
    form = dict(mine.page.fields)
    assert mine.send("POST", query, list(form.items()) * 2 + [("step", "allow")]).status == 401
    mine.log_in(query)
    for site in ("cross-site", "same-site", "none"):
        assert mine.submit(query, "allow", [f"Sec-Fetch-Site: {site}"]).status == 401
        mine.log_in(query)
    answered(mine.submit(query, "allow", ["Sec-Fetch-Site: same-origin"]))


def test_logging_in_needs_the_form_of_this_browser_too(prepared):
    _, challenge = verifier_and_challenge()
    query = asking(challenge)
    attacker, victim = Browser(prepared), Browser(prepared)
    attacker.open(query)
    victim.open(query)
    reply = victim.send("POST", query, {**attacker.page.fields, "step": "login", "user": USER, "password": PASSWORD})
    assert reply.status == 401 and "Allow access?" not in reply.text
    bare = Browser(prepared).send("POST", query, {**attacker.page.fields, "step": "login", "user": USER, "password": PASSWORD})
    assert bare.status == 401


def test_a_planted_session_does_not_become_that_of_who_logs_in(prepared):
    _, challenge = verifier_and_challenge()
    query = asking(challenge)
    attacker, victim = Browser(prepared), Browser(prepared)
    attacker.open(query)
    victim.cookies, victim.page = dict(attacker.cookies), attacker.page
    assert "Allow access?" in victim.submit(query, "login", user=USER, password=PASSWORD).text
    assert victim.cookies != attacker.cookies
    assert "Log in to evdb" in attacker.open(query).text
    attacker.page = victim.page
    assert attacker.submit(query, "allow").status == 401


@pytest.mark.parametrize("anew", (False, True))
def test_another_password_ends_who_is_logged_in(prepared, anew):
    _, challenge = verifier_and_challenge()
    query, browser, open_page = asking(challenge), Browser(prepared), Browser(prepared)
    browser.log_in(query)
    open_page.log_in(query)
    if anew:
        assert prepared.request("DELETE", "/api/v1/users/alice").status == 200
        add_user(prepared)
    else:
        assert prepared.request("POST", "/api/v1/users/alice/password", {"password": PASSWORD}).status == 200
    reply = browser.open(query)
    assert reply.status == 401 and "Allow access?" not in reply.text
    reply = open_page.submit(query, "allow")
    assert reply.status == 401 and "location" not in reply.headers
    assert "code" in browser.allow(query)


def test_a_forged_cookie_is_none(prepared):
    _, challenge = verifier_and_challenge()
    query, browser = asking(challenge), Browser(prepared)
    browser.log_in(query)
    name, value = next(iter(browser.cookies.items()))
    for forged in (value[:-1] + ("A" if value[-1] != "A" else "B"), value[:20], "", "x", "A" * 300, value.replace(value[30], "_", 1) + "A"):
        browser.cookies = {name: forged}
        assert "Log in to evdb" in browser.open(query).text


# ---- requests that are not good

@pytest.mark.parametrize("changes", (
    {"client_id": None}, {"client_id": "nobody"}, {"client_id": ""}, {"redirect_uri": None}, {"redirect_uri": ""},
    {"redirect_uri": "http://127.0.0.1:4711/callback/"}, {"redirect_uri": "http://127.0.0.1:4711/Callback"},
    {"redirect_uri": "http://127.0.0.1:4711/callback#f"}, {"redirect_uri": "http://127.0.0.1:4711/callback?x=1"},
    {"redirect_uri": "http://u@127.0.0.1:4711/callback"}, {"redirect_uri": "http://127.0.0.1:4711@evil.example/callback"},
    {"redirect_uri": "http://localhost:4711/callback"}, {"redirect_uri": "https://127.0.0.1:4711/callback"},
    {"redirect_uri": "https://evil.example/callback"}, {"redirect_uri": "//evil.example"}, {"redirect_uri": "javascript:alert(1)"},
    {"redirect_uri": "http://127.0.0.1:4711/callback\r\nX: y"},
    {"client_id": "other", "redirect_uri": "https://other.example:8443/cb"}, {"client_id": "other", "redirect_uri": "https://OTHER.example/cb"},
    {"client_id": "admin"},
))
def test_a_wrong_client_or_redirect_is_shown_and_never_followed(prepared, changes):
    _, challenge = verifier_and_challenge()
    browser = Browser(prepared)
    for method in ("GET", "POST"):
        reply = browser.send(method, asking(challenge, **changes), {"step": "cancel"} if method == "POST" else None)
        assert reply.status == 400 and "location" not in reply.headers and "This cannot be done" in reply.text
        assert "evil" not in reply.text


def test_client_and_redirect_given_twice_are_shown_too(prepared):
    _, challenge = verifier_and_challenge()
    for more in ("&client_id=app", "&redirect_uri=" + urllib.parse.quote("https://evil.example/"), "&client%5Fid=other"):
        reply = Browser(prepared).open(asking(challenge) + more)
        assert reply.status == 400 and "location" not in reply.headers


@pytest.mark.parametrize("changes, error", (
    ({"response_type": None}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"), ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"), ({"code_challenge": "short"}, "invalid_request"),
    ({"scope": "everything"}, "invalid_scope"), ({"scope": "read  write"}, "invalid_scope"), ({"response_mode": "fragment"}, "invalid_request"),
    ({"request": "e30."}, "request_not_supported"), ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
    ({"resource": "https://evil.example/mcp"}, "invalid_target"), ({"resource": ""}, "invalid_target"),
))
def test_other_mistakes_are_told_to_the_client(prepared, changes, error):
    _, challenge = verifier_and_challenge()
    answer = answered(Browser(prepared).open(asking(challenge, **changes)))
    assert answer["error"] == error and answer["error_description"]
    assert answer["state"] == "st&te" and answer["iss"] == issuer(prepared)


@pytest.mark.parametrize("name", ("response_type", "scope", "state", "code_challenge", "code_challenge_method"))
def test_a_parameter_given_twice_is_refused(prepared, name):
    _, challenge = verifier_and_challenge()
    answer = answered(Browser(prepared).open(asking(challenge, scope="read") + f"&{name}=x"))
    assert answer["error"] == "invalid_request" and "code" not in answer
    assert ("state" in answer) == (name != "state")


def test_scopes_that_the_user_lacks_are_not_granted(prepared):
    register(prepared, "boss", scopes=["admin"])
    verifier, challenge = verifier_and_challenge()
    query = asking(challenge, client_id="boss", scope="admin")
    browser = Browser(prepared)
    assert "everything" not in browser.log_in(query).text
    code = answered(browser.submit(query, "allow"))["code"]
    tokens = json.loads(redeem(prepared, code, verifier, client_id="boss").body)
    assert tokens["scope"] == "read write"
    assert prepared.request("GET", "/api/v1/clients", token=tokens["access_token"]).status == 403


# ---- codes

def test_a_code_used_twice_ends_what_came_of_it(prepared):
    code, verifier = code_for(prepared)
    tokens = json.loads(redeem(prepared, code, verifier).body)
    assert good(prepared, tokens["access_token"])
    oauth_error(redeem(prepared, code, verifier), 400, "invalid_grant")
    assert not good(prepared, tokens["access_token"])
    oauth_error(prepared.form({"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]}), 400, "invalid_grant")


def test_a_refresh_token_used_twice_ends_its_family(prepared):
    tokens = tokens_for(prepared)
    fields = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]}
    second = json.loads(prepared.form(fields).body)
    oauth_error(prepared.form(fields), 400, "invalid_grant")
    assert not good(prepared, tokens["access_token"]) and not good(prepared, second["access_token"])
    oauth_error(prepared.form({**fields, "refresh_token": second["refresh_token"]}), 400, "invalid_grant")


@pytest.mark.parametrize("changes, status, error", (
    ({"code_verifier": None}, 400, "invalid_request"), ({"redirect_uri": None}, 400, "invalid_request"), ({"code": None}, 400, "invalid_request"),
    ({"code_verifier": "x" * 43}, 400, "invalid_grant"), ({"code_verifier": ""}, 400, "invalid_grant"), ({"code": "x"}, 400, "invalid_grant"),
    ({"redirect_uri": "http://127.0.0.1/callback"}, 400, "invalid_grant"), ({"redirect_uri": CALLBACK + "/"}, 400, "invalid_grant"),
    ({"client_id": "other"}, 400, "invalid_grant"), ({"client_id": "nobody"}, 401, "invalid_client"), ({"client_id": None}, 401, "invalid_client"),
    ({"client_id": "admin"}, 401, "invalid_client"), ({"client_secret": "x" * 43}, 401, "invalid_client"),
    ({"resource": "https://evil.example"}, 400, "invalid_target"),
))
def test_a_code_without_its_proof_is_worth_nothing(prepared, changes, status, error):
    code, verifier = code_for(prepared)
    oauth_error(redeem(prepared, code, verifier, **changes), status, error)
    assert redeem(prepared, code, verifier).status == 200  # and is not used up by that


@pytest.mark.parametrize("name", ("code", "code_verifier", "redirect_uri", "client_id", "grant_type"))
def test_what_is_given_twice_with_a_code_is_refused(prepared, name):
    code, verifier = code_for(prepared)
    fields = {"grant_type": "authorization_code", "client_id": "app", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK}
    oauth_error(prepared.form([*fields.items(), (name, fields[name])]), 400, "invalid_request")


def test_a_removed_user_and_another_password_end_the_tokens(prepared):
    add_user(prepared, "bob")
    _, challenge = verifier_and_challenge()
    for change in ("password", "removal"):
        verifier, challenge = verifier_and_challenge()
        browser, query = Browser(prepared), asking(challenge)
        browser.log_in(query, "bob")
        tokens = json.loads(redeem(prepared, answered(browser.submit(query, "allow"))["code"], verifier).body)
        assert good(prepared, tokens["access_token"])
        if change == "password":
            assert prepared.request("POST", "/api/v1/users/bob/password", {"password": PASSWORD}).status == 200
        else:
            assert prepared.request("DELETE", "/api/v1/users/bob").status == 200
        assert not good(prepared, tokens["access_token"])
    assert browser.open(query).status == 401  # the session outlives the user, and is worth nothing
    assert "Log in to evdb" in browser.submit(query, "allow").text


def test_other_methods_are_refused(prepared):
    for method in ("PUT", "DELETE"):
        reply = prepared.ask(method, "/oauth/authorize", endpoint="oauth")
        problem(reply, 405)
        assert reply.headers["allow"] == "GET, HEAD, POST"
