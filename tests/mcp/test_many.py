"""test_many.py - very many at once: clients of one evdbd, and servers on one database. Every write that was acknowledged is there
afterwards, and nobody gets what another asked for."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from mcp_peers import Daemon, Http, Peer, Stdio

import evdbd  # noqa: I001 - mcp_peers knows where it is
from http_client import Client

CLIENTS, ROUNDS = 100, 6
SERVERS, WRITES, INCREMENTS = 8, 30, 5


class Kept(Peer):
    """A client of evdbd on one connection that is kept, with a token of its own. The id of a request tells who asked."""

    def __init__(self, daemon, number):
        super().__init__()
        self.ids = (f"{number}-{i}" for i in range(1 << 20))
        self.token, self.connection = daemon.token("read write"), Client(daemon.ports["mcp"])

    def exchange(self, text):
        reply = self.connection.ask("POST", "/mcp", text, ["Host: 127.0.0.1", f"Authorization: Bearer {self.token}", "Content-Type: application/json"])
        assert reply.status == 200, reply.text
        return reply.body


def at_once(task, items):
    """What task makes of each; the first failure is raised."""
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(task, items))


def records_of(peer, store):
    """The record of each id, all pages of them."""
    found, after = {}, {}
    while True:
        page = peer.call("scroll_records", store=store, limit=1000, **after)
        found.update({record["id"]: record for record in page["records"]})
        if "next" not in page:
            return found
        after = {"after": page["next"]}


@pytest.mark.threaded
def test_a_hundred_clients_each_get_their_own_answers_and_keep_what_they_wrote(daemon, name):
    admin = Http(daemon)
    admin.call("create_store", name=name, metric="euclidean")
    clients = at_once(lambda n: Kept(daemon, n), range(CLIENTS))
    assert len({client.token for client in clients}) == CLIENTS

    def work(n):
        client, own = clients[n], f"{name}-{n}"
        client.call("create_store", name=own, metric="euclidean")
        for i in range(ROUNDS):
            vector, mark = [n, i, n * i], {"client": n, "round": i}
            assert client.call("insert_vector", store=name, id=f"{n}/{i}", vector=vector, metadata=mark)["id"] == f"{n}/{i}"
            hit = client.call("search_vectors", store=name, vector=vector, k=1)["results"][0]
            assert (hit["id"], hit["distance"], hit["metadata"]) == (f"{n}/{i}", 0, mark)
            assert client.call("insert_vector", store=own, id=i, vector=vector, metadata=mark)["id"] == i
            hits = client.call("search_vectors", store=own, vector=vector, k=CLIENTS)["results"]
            assert {hit["id"] for hit in hits} == set(range(i + 1)) and all(hit["metadata"]["client"] == n for hit in hits)
            status, text = client.fails("insert_vector", store=name, id=f"{n}/{i}", vector=vector)
            assert status == "EXISTS" and f"{n}/{i}" in text
        return own

    stores = at_once(work, range(CLIENTS))
    found = records_of(admin, name)
    assert set(found) == {f"{n}/{i}" for n in range(CLIENTS) for i in range(ROUNDS)}
    for id, record in found.items():
        n, i = map(int, id.split("/"))
        assert record["metadata"] == {"client": n, "round": i}
    for n, own in enumerate(stores):
        assert {id: record["metadata"]["client"] for id, record in records_of(admin, own).items()} == dict.fromkeys(range(ROUNDS), n)
    for client in clients:
        client.connection.close()


@pytest.mark.threaded
def test_requests_that_are_sent_before_the_last_was_answered_are_answered_in_order(daemon, name):
    Http(daemon).call("create_store", name=name)

    def work(n):
        client = Kept(daemon, n)
        lines = [json.dumps({"jsonrpc": "2.0", "id": f"{n}-{i}", "method": "tools/call",
                             "params": {"name": "insert_vector", "arguments": {"store": name, "id": n * 100 + i, "vector": [1, n, i]}}})
                 for i in range(10)]
        for line in lines:
            client.connection.send(f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {client.token}\r\n"
                                   f"Content-Type: application/json\r\nContent-Length: {len(line)}\r\n\r\n{line}".encode())
        for i in range(10):
            reply = json.loads(client.connection.reply().body)
            assert reply["id"] == f"{n}-{i}" and reply["result"]["structuredContent"]["id"] == n * 100 + i
        client.connection.close()

    at_once(work, range(20))
    assert Http(daemon).call("count_records", store=name) == {"count": 200}


# Many servers

@pytest.fixture(params=["alone", "beside evdbd"])
def servers(request, tmp_path):
    """`evdb mcp` by the dozen on one directory; with evdbd there, two clients of it join them."""
    daemon = Daemon(tmp_path) if request.param == "beside evdbd" else None
    many = [Stdio(tmp_path) for _ in range(SERVERS)]
    yield many + [Kept(daemon, n) for n in range(2)] if daemon else many
    for server in many:
        server.stop()
    if daemon:
        daemon.stop()


def test_servers_on_one_directory_lose_no_write_and_see_all(servers):
    at_once(lambda n: servers[n].call("create_store", name=f"own-{n}", metric="euclidean"), range(len(servers)))
    servers[0].call("create_store", name="shared", metric="euclidean")

    def work(n):
        for i in range(WRITES):
            id = n * 1000 + i
            servers[n].call("insert_vector", store="shared", id=id, vector=[n, i], metadata={"server": n})
            hit = servers[n].call("search_vectors", store="shared", vector=[n, i], k=1)["results"][0]
            assert (hit["id"], hit["distance"]) == (id, 0)
            if i % 3 == 2:
                servers[n].call("delete_records", store="shared", ids=[id - 1])
            servers[n].call("upsert_vector", store=f"own-{(n + i) % len(servers)}", id=id, vector=[n, i])

    at_once(work, range(len(servers)))
    expected = {n * 1000 + i: n for n in range(len(servers)) for i in range(WRITES) if i % 3 != 1}
    def check(server):
        assert {id: record["metadata"]["server"] for id, record in records_of(server, "shared").items()} == expected
        owned = [server.call("count_records", store=f"own-{n}")["count"] for n in range(len(servers))]
        assert sum(owned) == len(servers) * WRITES
        return owned

    assert len(set(map(tuple, at_once(check, servers)))) == 1


def test_each_server_sees_at_once_what_the_one_before_it_wrote(servers):
    servers[0].call("create_store", name="s", metric="euclidean")
    for i in range(3 * len(servers)):
        servers[i % len(servers)].call("insert_vector", store="s", id=i, vector=[i], metadata={"i": i})
        next = servers[(i + 1) % len(servers)]
        assert next.call("get_records", store="s", ids=[i])["records"][0]["metadata"] == {"i": i}
        hit = next.call("search_vectors", store="s", vector=[i], k=1)["results"][0]
        assert (hit["id"], hit["distance"]) == (i, 0)


@pytest.mark.threaded
def test_servers_that_change_one_record_take_turns_by_its_version(servers):
    servers[0].call("create_store", name="s")
    servers[0].call("insert_vector", store="s", id="counter", vector=[1], metadata={"n": 0})

    def count(server):
        for _ in range(INCREMENTS):
            while True:
                record = server.call("get_records", store="s", ids=["counter"])["records"][0]
                arguments = {"store": "s", "id": "counter", "if_version": record["version"], "metadata": {"n": record["metadata"]["n"] + 1}}
                result = server.result("tools/call", {"name": "update_vector", "arguments": arguments})
                if not result["isError"]:
                    break
                assert result["_meta"]["evdb/status"] == "CONFLICT", result

    at_once(count, servers)
    for server in servers:
        assert server.call("get_records", store="s", ids=["counter"])["records"][0]["metadata"] == {"n": INCREMENTS * len(servers)}
