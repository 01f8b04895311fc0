"""test_together.py - clients side by side: each sees its own, whatever the others do."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

CLIENTS, ROUNDS = 6, 8


@pytest.mark.threaded
def test_clients_with_stores_and_tokens_of_their_own_do_not_disturb_each_other(start):
    server = start("--log-level=debug")

    def ask(client, expected, method, path, body=None, token=None):
        reply = server.request(method, path, body, token, client=client)
        assert reply.status == expected, reply.text
        return json.loads(reply.body)

    def work(number):
        client, store = server.client(), f"/api/v1/stores/s{number}"
        for step in range(ROUNDS):
            token = json.loads(server.grant(scope="admin").body)["access_token"]
            ask(client, 201, "POST", "/api/v1/stores", {"name": f"s{number}", "metric": "euclidean"}, token)
            for record in range(10):
                ask(client, 201, "POST", f"{store}/vectors", {"id": record, "vector": [number, step, record]}, token)
            found = ask(client, 200, "POST", f"{store}/search", {"vector": [number, step, 7], "k": 1}, token)["results"]
            assert [result["id"] for result in found] == [7]
            ask(client, 200, "DELETE", f"{store}/vectors/7", None, token)
            assert ask(client, 200, "GET", f"{store}/count", None, token)["count"] == 9
            ask(client, 200, "DELETE", store, None, token)

    server.admin()
    with ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(work, range(CLIENTS))) == [None] * CLIENTS
