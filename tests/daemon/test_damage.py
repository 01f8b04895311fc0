"""test_damage.py - one damaged store: it says so, all others go on, and a repair brings back what can still be read.

The damage is done beneath the running daemon; 4 clients use the other stores all the time, before and behind a restart too. Then files
of a store are flipped and cut at random (EVDB_FLIPS rounds, from EVDB_SEED): what is asked of it has the answer of before or is told."""
import json
import os
import random
import shutil
import threading

from evdbd import Client, problem

PAGE, RECORDS, OTHERS = 16384, 600, ("one", "two")
RECORDS_LEAF, VECTORS_LEAF = 0x0A, 0x0D  # first byte of such pages, see SQLite's file format
LEAST = 50  # requests of each kind that each client makes meanwhile, at least


def fill(server, name):
    server.request("POST", "/api/v1/stores", {"name": name, "dim": 4, "metric": "l2"})
    rows = [{"id": i, "vector": [i, 1, 2, 3], "metadata": {"text": f"record {i} " + "x" * 100}} for i in range(RECORDS)]
    assert server.request("POST", f"/api/v1/stores/{name}/vectors/batch", {"records": rows}).status in (200, 201)
    assert server.request("POST", f"/api/v1/stores/{name}/sync").status == 200


def folder(server, name):
    stores = json.loads(server.request("GET", "/api/v1/stores").body)["stores"]
    return server.directory / "stores" / next(store["uuid"] for store in stores if store["name"] == name)


def damage(server, name):
    """The schema's page, and one that holds records: the store cannot be opened, and not all of it can be salvaged."""
    with open(folder(server, name) / "rows.db", "r+b") as file:
        content = file.read()
        leaf = max(at for at in range(PAGE, len(content), PAGE) if content[at] == RECORDS_LEAF)
        for at in (0, leaf):
            file.seek(at + PAGE - 200)
            file.write(b"\x5a" * 64)


class Others:
    """Clients of the other stores, none of whose requests may fail, while `with` lasts."""

    def __init__(self, server):
        self.server, self.done, self.failed = server, threading.Event(), []
        self.asked = [0] * 4
        token = server.token()
        self.headers = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(4)]

    def run(self, number):
        store, client = f"/api/v1/stores/{OTHERS[number % 2]}", Client(self.server.ports["rest"])
        while not self.done.is_set() or self.asked[number] < LEAST:
            body = json.dumps({"vector": [number, self.asked[number] % 9, 1, 1]}).encode()
            reply = client.ask("PUT", f"{store}/vectors/{10000 + number}", body, self.headers)
            if reply.status not in (200, 201):
                self.failed.append(reply.text)
            reply = client.ask("POST", f"{store}/search", json.dumps({"vector": [5, 1, 2, 3], "k": 3}).encode(), self.headers)
            if reply.status != 200 or len(json.loads(reply.body)["results"]) != 3:
                self.failed.append(reply.text)
            self.asked[number] += 1
        client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
        assert not self.failed, self.failed[:3]
        assert min(self.asked) >= LEAST


def test_a_damaged_store_fails_alone_and_is_repaired_while_others_serve(start):
    server = start()
    for name in ("docs", *OTHERS):
        fill(server, name)
    with Others(server):
        damage(server, "docs")
        found = json.loads(server.request("POST", "/api/v1/verify", {}).body)
        assert found["problems"] > 0 and {one["store"] for one in found["found"]} == {"docs"}
    server.stop()

    server = start()
    with Others(server):
        for method, path, body in (("GET", "/vectors/1", None), ("POST", "/search", {"vector": [1, 1, 2, 3]}),
                                   ("POST", "/vectors", {"id": 5000, "vector": [1, 2, 3, 4]}), ("GET", "", None)):
            body = problem(server.request(method, f"/api/v1/stores/docs{path}", body), 500)
            assert "checksum" in body["detail"] or "database" in body["detail"], body
        repaired = json.loads(server.request("POST", "/api/v1/stores/docs/repair").body)
        assert repaired["repaired"] and 0 < repaired["lost"] < RECORDS / 2 and not repaired["lost_unnamed"]
        assert repaired["records"] + repaired["lost"] == RECORDS
        lost = {one["id"] for one in repaired["lost_records"]}
        assert {one["lost"] for one in repaired["lost_records"]} == {"metadata"} and len(lost) == repaired["lost"]
        for i in range(RECORDS):
            reply = server.request("GET", f"/api/v1/stores/docs/vectors/{i}")
            assert reply.status == (404 if i in lost else 200)
            if i not in lost:
                record = json.loads(reply.body)
                assert record["vector"] == [i, 1, 2, 3] and record["metadata"]["text"].startswith(f"record {i} ")
        assert server.request("POST", "/api/v1/stores/docs/vectors", {"id": 5000, "vector": [1, 2, 3, 4]}).status == 201
        assert json.loads(server.request("POST", "/api/v1/verify", {}).body)["problems"] == 0
    assert (server.directory / repaired["quarantine"] / "rows.db").exists()


def questions(server):
    """What is asked of the store, each with its answer."""
    def ask(method, path, body=None):
        return server.request(method, f"/api/v1/stores/docs{path}", body, client=client)

    client, answers = server.client(), {}
    for i in range(0, RECORDS + 20, 7):
        answers[f"record {i}"] = ask("GET", f"/vectors/{i}")
    for i in (3, 300):
        answers[f"search {i}"] = ask("POST", "/search", {"vector": [i, 1, 2, 3], "k": 5, "exact": True})
    answers["count"] = ask("GET", "/count")
    return {question: (reply.status, reply.body) for question, reply in answers.items()}


def spoil(file, chance):
    """Flips some bits, or cuts; what was done, for a message."""
    content = bytearray(file.read_bytes())
    if chance.random() < 0.3:
        length = chance.randrange(len(content))
        file.write_bytes(content[:length])
        return f"{file.name} cut to {length} of {len(content)} bytes"
    places = [chance.randrange(len(content)) for _ in range(chance.choice((1, 1, 4)))]
    for at in places:
        content[at] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    return f"{file.name} of {len(content)} bytes flipped at {places}"


def test_flips_and_cuts_of_one_store_are_told_and_others_never_fail(start, tmp_path):
    seed = int(os.environ.get("EVDB_SEED", random.SystemRandom().randrange(1 << 32)))
    chance, kept = random.Random(seed), tmp_path / "kept"
    print(f"EVDB_SEED={seed}")
    server = start()
    for name in ("docs", *OTHERS):
        fill(server, name)
    assert server.request("POST", "/api/v1/stores/docs/index/build").status == 200
    for i in range(RECORDS, RECORDS + 20):  # these stay in the log
        assert server.request("PUT", f"/api/v1/stores/docs/vectors/{i}", {"vector": [i, 1, 2, 3]}).status == 200
    docs, expected = folder(server, "docs"), questions(server)
    assert {status for status, _ in expected.values()} == {200}
    server.kill()
    shutil.copytree(docs, kept)
    told = 0
    for turn in range(int(os.environ.get("EVDB_FLIPS", 9))):
        shutil.rmtree(docs)
        shutil.copytree(kept, docs)
        what = spoil(docs / ("rows.db", "rows.db-wal", "index")[turn % 3], chance)
        server = start()
        with Others(server):
            now = questions(server)
            found = json.loads(server.request("POST", "/api/v1/verify", {}).body)
        server.stop()
        changed = [question for question in expected if now[question] != expected[question]]
        assert all(now[question][0] == 500 for question in changed), (what, [now[question] for question in changed][:3])
        assert not changed or found["problems"], what
        assert {one["store"] for one in found["found"]} <= {"docs"}, what
        told += found["problems"] > 0
    assert told > 0
