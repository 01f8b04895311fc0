"""conftest.py - daemons that are stopped, and must stop well, behind the tests that used them."""
import itertools

import pytest
from rest_server import Server


@pytest.fixture
def start(tmp_path):
    """Starts a daemon of its own with these flags."""
    servers = []

    def start_one(*flags):
        servers.append(Server(tmp_path, *flags))
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("evdbd"), "--dev")
    yield server
    server.stop()


names = itertools.count(1)


@pytest.fixture
def store(daemon):
    """The path of an empty store of three dimensions, euclidean."""
    name = f"store{next(names)}"
    daemon.good("POST", "/api/v1/stores", {"name": name, "dim": 3, "metric": "euclidean"})
    return f"/api/v1/stores/{name}"


@pytest.fixture
def docs(daemon, store):
    """Such a store with the records a, b and c."""
    for record in ({"id": "a", "vector": [1, 2, 3], "metadata": {"lang": "en", "price": 0.1}}, {"id": "b", "vector": [1, 2, 4]},
                   {"id": "c", "vector": [9, 9, 9]}):
        daemon.good("POST", store + "/vectors", record)
    return store
