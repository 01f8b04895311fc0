"""test_stop.py - SIGTERM under load: every request that was accepted is answered, every write that was answered is there."""
import itertools
import json
import subprocess

import pytest
from evdbd import BUILD
from load import Load

STORE = "/api/v1/stores/things"


class Traffic:
    """What clients ask: inserts of ids of their own and searches in turn."""

    def __init__(self, server):
        assert server.request("POST", "/api/v1/stores", {"name": "things", "metric": "euclidean"}).status == 201
        assert server.request("POST", f"{STORE}/vectors", {"id": 0, "vector": [0, 0]}).status == 201
        self.headers = [f"Authorization: Bearer {server.token()}", "Content-Type: application/json"]
        self.ids, self.acknowledged = itertools.count(1), []

    def ask(self, client, number):
        record = next(self.ids)
        if record % 2:
            reply = client.ask("POST", f"{STORE}/search", b'{"vector": [0, 0.25], "k": 1}', self.headers)
            assert reply.status == 200 and json.loads(reply.body)["results"][0]["distance"] <= 0.25, reply.text
        else:
            body = json.dumps({"id": record, "vector": [record, number]}).encode()
            reply = client.ask("POST", f"{STORE}/vectors", body, self.headers)
            assert reply.status == 201, reply.text
            self.acknowledged.append(record)
        return reply


@pytest.mark.threaded
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "new"])
def test_sigterm_under_load_of_8_clients_loses_nothing_that_was_accepted(start, keep):
    server = start()
    traffic = Traffic(server)
    load = Load(server.ports["rest"], 8, keep, traffic.ask)
    load.await_start()
    server.signal()
    load.await_end()
    assert server.end() == 0
    assert load.lost == []
    print(f"{load.answered} requests answered, 0 lost")
    listed = subprocess.run([BUILD / "evdb", "export", "things", "-", "--format", "jsonl", "-d", server.directory],
                            capture_output=True, check=True).stdout
    assert {json.loads(line)["id"] for line in listed.splitlines()} == {0, *traffic.acknowledged}
