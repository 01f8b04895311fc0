"""test_damage.py - one damaged store: it says so, all others go on, and a repair brings back what can still be read.

The damage is done beneath the running daemon; 4 clients use the other stores all the time, before and behind a restart too."""
import json
import threading

from evdbd import Client, problem

PAGE, RECORDS, OTHERS = 16384, 600, ("one", "two")
RECORDS_LEAF, VECTORS_LEAF = 0x0A, 0x0D  # first byte of such pages, see SQLite's file format


def fill(server, name):
    server.request("POST", "/api/v1/stores", {"name": name, "dim": 4, "metric": "l2"})
    rows = [{"id": i, "vector": [i, 1, 2, 3], "metadata": {"text": f"record {i} " + "x" * 100}} for i in range(RECORDS)]
    assert server.request("POST", f"/api/v1/stores/{name}/vectors/batch", {"records": rows}).status in (200, 201)
    assert server.request("POST", f"/api/v1/stores/{name}/sync").status == 200


def damage(server, name):
    """The schema's page, and one that holds records: the store cannot be opened, and not all of it can be salvaged."""
    stores = json.loads(server.request("GET", "/api/v1/stores").body)["stores"]
    uuid = next(store["uuid"] for store in stores if store["name"] == name)
    with open(server.directory / "stores" / uuid / "rows.db", "r+b") as file:
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
        while not self.done.is_set() or not self.asked[number]:
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
        assert min(self.asked) > 0


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
