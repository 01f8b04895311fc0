"""test_historic_curl.py - the four commands under "REST API Examples" of the original server's README, run as they stand
there by curl against `evdbd --dev` on its default ports."""
import json
import shutil
import socket
import subprocess

import pytest
from evdbd import LISTEN_FAILED, NotReady

PORTS = (8080, 8081, 8082)

GET_TOKEN = r'''
curl -X POST http://localhost:8081/oauth/token \
  -d "grant_type=client_credentials&client_id=admin&client_secret=admin_secret_2024&scope=read write"
'''
CREATE_STORE = r'''
curl -X POST http://localhost:8082/api/v1/stores \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"name": "my_store"}'
'''
INSERT_VECTOR = r'''
curl -X POST http://localhost:8082/api/v1/stores/my_store/vectors \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"id": "doc1", "vector": [1.0, 2.0, 3.0], "metadata": {"title": "Document 1"}}'
'''
SEARCH_VECTORS = r'''
curl -X POST http://localhost:8082/api/v1/stores/my_store/search \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"vector": [1.1, 2.1, 3.1], "k": 5}'
'''


def taken():
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return port
    return None


@pytest.fixture
def dev(start):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    if port := taken():
        pytest.skip(f"the default port {port} is taken")
    try:
        return start("--dev", ports=())
    except NotReady as ended:
        if ended.status != LISTEN_FAILED:
            raise
        pytest.skip(f"a default port is taken: {ended.detail}")


def run(command, token="YOUR_TOKEN"):
    done = subprocess.run(["sh", "-c", command.replace("YOUR_TOKEN", token)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_historic_rest_examples_work_as_they_stand(dev):
    assert tuple(dev.ports.values()) == PORTS
    granted = run(GET_TOKEN)
    assert granted["token_type"] == "Bearer" and granted["scope"] == "read write"
    token = granted["access_token"]
    assert run(CREATE_STORE, token)["name"] == "my_store"
    assert run(INSERT_VECTOR, token)["id"] == "doc1"
    found = run(SEARCH_VECTORS, token)["results"]
    assert len(found) == 1 and found[0]["id"] == "doc1" and found[0]["metadata"] == {"title": "Document 1"}
    assert found[0]["score"] > 0.99
    assert run(CREATE_STORE)["status"] == 401  # YOUR_TOKEN is none
