"""test_throttle.py - those who guess secrets or tokens wait, those who ask or write too much too, on every protocol; and nobody else."""
import http.client
import json
import urllib.parse

import pytest
from evdbd import FORM, PATIENCE, basic, problem

FREE = 3


def ask_from(server, address, endpoint, method, path, body=b"", headers=()):
    """A request from an address of loopback; status, headers, text."""
    connection = http.client.HTTPConnection("127.0.0.1", server.ports[endpoint], timeout=PATIENCE, source_address=(address, 0))
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def login_from(server, address, client, secret):
    body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client, "client_secret": secret})
    return ask_from(server, address, "oauth", "POST", "/oauth/token", body, {"Content-Type": FORM})


def seconds_of(headers):
    seconds = int(headers["retry-after"])
    assert 1 <= seconds <= 60
    return seconds


@pytest.fixture
def guarded(start):
    server = start("--throttle-failures", FREE)
    token = server.token()
    made = json.loads(server.request("POST", "/api/v1/clients", {"client_id": "made", "scopes": ["write"]}, token).body)
    server.made = made["client_secret"]
    server.request("POST", "/api/v1/clients", {"client_id": "chosen", "client_secret": "correct horse"}, token)
    return server


def guess(server, client, address="127.0.0.2", times=FREE):
    for i in range(times):
        status, _, text = login_from(server, address, client, f"wrong {i}")
        assert status == 401, text


# ---- wrong secrets

def test_a_wrong_secret_too_many_is_told_when_to_come_again(guarded):
    guess(guarded, "chosen")
    status, headers, text = login_from(guarded, "127.0.0.2", "chosen", "wrong again")
    body = json.loads(text)
    assert status == 429 and seconds_of(headers) == 1
    assert body["error"] == "temporarily_unavailable" and body["error_description"]
    assert headers["cache-control"] == "no-store" and headers["content-type"] == "application/json"


def test_meanwhile_a_chosen_secret_is_not_looked_at(guarded):
    guess(guarded, "chosen")
    assert login_from(guarded, "127.0.0.2", "chosen", "correct horse")[0] == 429


def test_a_made_secret_is_never_refused(guarded):
    guess(guarded, "made")
    assert login_from(guarded, "127.0.0.2", "made", "wrong again")[0] == 429
    assert login_from(guarded, "127.0.0.2", "made", guarded.made)[0] == 200


def test_who_has_to_wait_is_not_told_which_clients_there_are(guarded):
    told = set()
    for client in ("chosen", "made", "nobody"):
        guess(guarded, client, address=f"127.0.1.{len(client)}")
        status, _, text = login_from(guarded, f"127.0.1.{len(client)}", client, "wrong again")
        told.add((status, text))
    assert len(told) == 1


def test_other_addresses_and_other_clients_do_not_wait(guarded):
    guess(guarded, "chosen")
    assert login_from(guarded, "127.0.0.2", "chosen", "wrong again")[0] == 429
    assert login_from(guarded, "127.0.0.3", "chosen", "correct horse")[0] == 200
    assert login_from(guarded, "127.0.0.2", "nobody", "wrong")[0] == 401


def test_a_crowd_does_not_lock_out_who_has_logged_in_before(guarded):
    assert login_from(guarded, "127.0.0.9", "chosen", "correct horse")[0] == 200
    statuses = [login_from(guarded, f"127.1.{i // 250}.{i % 250 + 1}", "chosen", "wrong guess")[0] for i in range(60)]
    assert statuses[0] == 401 and set(statuses) <= {401, 429}
    assert login_from(guarded, "127.0.0.9", "chosen", "correct horse")[0] == 200


def test_nor_does_somebody_at_the_same_address(guarded):
    assert login_from(guarded, "127.0.0.9", "chosen", "correct horse")[0] == 200
    statuses = [login_from(guarded, "127.0.0.9", f"client{i}", "wrong")[0] for i in range(5 * FREE + 1)]
    assert statuses == [401] * 5 * FREE + [429]
    assert login_from(guarded, "127.0.0.9", "chosen", "correct horse")[0] == 200


def test_a_success_forgives_wrong_secrets_before_it(guarded):
    for _ in range(4):
        guess(guarded, "chosen", times=FREE - 1)
        assert login_from(guarded, "127.0.0.2", "chosen", "correct horse")[0] == 200


def test_the_header_of_client_secret_basic_counts_alike(guarded):
    for i in range(FREE + 1):
        name, value = basic("chosen", f"wrong {i}").split(": ")
        status, _, _ = ask_from(guarded, "127.0.0.2", "oauth", "POST", "/oauth/token", "grant_type=client_credentials",
                                {"Content-Type": FORM, name: value})
    assert status == 429


# ---- bad tokens

def rest(server, address, token):
    return ask_from(server, address, "rest", "GET", "/api/v1/stores", headers={"Authorization": f"Bearer {token}"})


def mcp(server, address, token):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    return ask_from(server, address, "mcp", "POST", "/mcp", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


@pytest.mark.parametrize("ask", [rest, mcp])
def test_bad_tokens_too_many_are_told_when_to_come_again_and_good_ones_pass(guarded, ask):
    statuses = [ask(guarded, "127.0.0.2", f"bad{i}")[0] for i in range(10 * FREE)]
    assert set(statuses) == {401}
    status, headers, text = ask(guarded, "127.0.0.2", "bad")
    assert status == 429 and seconds_of(headers) and "www-authenticate" not in headers
    if ask is rest:
        assert headers["content-type"] == "application/problem+json" and json.loads(text)["code"] == "THROTTLED"
    else:
        error = json.loads(text)["error"]
        assert error["code"] == -31029 and error["data"] == {"status": "THROTTLED", "retryable": True}
    assert ask(guarded, "127.0.0.2", guarded.token())[0] == 200
    assert ask(guarded, "127.0.0.3", "bad")[0] == 401
    assert login_from(guarded, "127.0.0.2", "chosen", "correct horse")[0] == 200


def test_no_token_is_no_guess(guarded):
    for _ in range(10 * FREE + 1):
        assert ask_from(guarded, "127.0.0.2", "rest", "GET", "/api/v1/stores")[0] == 401


def test_without_the_throttle_nobody_waits(start):
    server = start("--throttle-failures", 0)
    assert {login_from(server, "127.0.0.2", "admin", "wrong")[0] for _ in range(40)} == {401}


# ---- quotas

def limited(server, name="app", **quota):
    """A token of a client with these limits of its own."""
    reply = server.request("POST", "/api/v1/clients", {"client_id": name, "scopes": ["write"]})
    set_quota(server, name, **quota)
    return server.token(name, json.loads(reply.body)["client_secret"])


def set_quota(server, name, **quota):
    reply = server.request("PUT", f"/api/v1/clients/{name}/quota", quota)
    assert reply.status == 200, reply.text
    return json.loads(reply.body)


@pytest.fixture
def stored(start):
    server = start()
    assert server.request("POST", "/api/v1/stores", {"name": "docs", "dim": 2, "metric": "euclidean"}).status == 201
    return server


def insert(server, token, id):
    return server.request("POST", "/api/v1/stores/docs/vectors", {"id": id, "vector": [1, 2]}, token)


def call(server, token, tool, **arguments):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}).encode()
    return ask_from(server, "127.0.0.1", "mcp", "POST", "/mcp", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


def used_up(status, headers, text):
    """A refusal until midnight."""
    assert status == 429, text
    assert 1 <= int(headers["retry-after"]) <= 86400
    return json.loads(text)


def test_records_too_many_are_refused_until_tomorrow_on_every_protocol(stored):
    token = limited(stored, records=3)
    assert insert(stored, token, 1).status == 201
    assert insert(stored, token, 1).status == 409  # nothing was written
    batch = {"records": [{"id": i, "vector": [1, 2]} for i in (2, 3)]}
    assert stored.request("POST", "/api/v1/stores/docs/vectors/batch", batch, token).status == 200
    reply = insert(stored, token, 4)
    used_up(reply.status, reply.headers, reply.text)
    assert "'app' may write 3 records a day" in problem(reply, 429)["detail"]
    refused = used_up(*call(stored, token, "insert_vector", store="docs", id=4, vector=[1, 2]))
    assert refused["error"]["data"]["status"] == "THROTTLED"
    assert insert(stored, stored.token(), 4).status == 201
    assert stored.request("DELETE", "/api/v1/stores/docs/vectors/1", token=token).status == 200
    assert stored.request("GET", "/api/v1/stores/docs/vectors/2", token=token).status == 200
    used = json.loads(stored.request("GET", "/api/v1/clients/app/quota").body)
    assert (used["records"], used["records_today"]) == (3, 3)
    set_quota(stored, "app", records=4)
    assert insert(stored, token, 5).status == 201


def lines(count):
    return "".join(json.dumps({"id": 1000 + i, "vector": [i, i]}) + "\n" for i in range(count)).encode()


def test_an_import_of_too_many_writes_nothing(stored):
    token = limited(stored, records=2500)
    path = "/api/v1/stores/docs/import?format=jsonl"
    headers = [f"Authorization: Bearer {token}"]
    assert stored.ask("POST", path, lines(2501), headers).status == 429
    assert json.loads(stored.request("GET", "/api/v1/stores/docs/count").body)["count"] == 0
    assert stored.ask("POST", path, lines(2500), headers).status == 200
    assert stored.ask("POST", path + "&upsert=true", lines(1), headers).status == 429


def test_more_than_a_whole_day_allows_is_too_large(stored):
    token = limited(stored, records=1)
    batch = {"records": [{"id": i, "vector": [1, 2]} for i in (2, 3)]}
    problem(stored.request("POST", "/api/v1/stores/docs/vectors/batch", batch, token), 413)


def test_bytes_are_those_of_requests_that_write(stored):
    token = limited(stored, bytes=100)
    for _ in range(5):
        query = {"vector": [1, 2], "k": 1}
        assert stored.request("POST", "/api/v1/stores/docs/search", query, token).status == 200
    statuses = [insert(stored, token, i).status for i in range(4)]
    assert statuses == [201, 201, 201, 429]


def test_requests_too_many_in_a_second_are_refused_on_every_protocol(stored):
    token = limited(stored, requests=1)
    for ask in (lambda: rest(stored, "127.0.0.1", token), lambda: mcp(stored, "127.0.0.1", token)):
        replies = [ask() for _ in range(30)]
        refused = [headers["retry-after"] for status, headers, _ in replies if status == 429]
        assert set(refused) == {"1"} and {status for status, _, _ in replies} <= {200, 429}
    assert {stored.request("GET", "/api/v1/stores").status for _ in range(30)} == {200}


def test_limits_of_the_server_are_for_clients_without_their_own(start):
    server = start("--quota-records", 1)
    server.request("POST", "/api/v1/stores", {"name": "docs", "dim": 2, "metric": "euclidean"})
    plain, free = limited(server, "plain"), limited(server, "free", records=-1)
    assert [insert(server, plain, i).status for i in (1, 2)] == [201, 429]
    assert [insert(server, free, i).status for i in (2, 3)] == [201, 201]


def test_a_quota_is_kept_and_goes_with_its_client(start, tmp_path):
    server = start()
    server.request("POST", "/api/v1/clients", {"client_id": "app"})
    kept = {"client_id": "app", "requests": 5, "records": 0, "bytes": -1}
    assert set_quota(server, "app", requests=5, bytes=-1) == kept
    server.request("DELETE", "/api/v1/clients/app")
    problem(server.request("GET", "/api/v1/clients/app/quota"), 404)
    problem(server.request("PUT", "/api/v1/clients/app/quota", {"requests": 1}), 404)
    server.request("POST", "/api/v1/clients", {"client_id": "app"})
    assert json.loads(server.request("GET", "/api/v1/clients/app/quota").body)["requests"] == 0
