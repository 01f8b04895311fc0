"""conftest.py - one evdbd for all tests of a file, a fresh `evdb mcp` for each, and stores of names that nobody else has."""
import itertools

import pytest
from mcp_peers import MODERN, VERSIONS, Daemon, Http, Stdio

numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "threaded: worth running under the thread sanitizer")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    server = Daemon(tmp_path_factory.mktemp("evdbd"))
    yield server
    server.stop()


@pytest.fixture
def stdio(tmp_path):
    """Starts `evdb mcp` in the test's directory."""
    started = []

    def start(*words, **how):
        started.append(Stdio(tmp_path, *words, **how))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(params=["stdio", "http"])
def peer(request):
    """A server that lets its client do everything, over either transport."""
    if request.param == "stdio":
        return request.getfixturevalue("stdio")("--scope", "admin")
    return Http(request.getfixturevalue("daemon"))


@pytest.fixture(params=["stdio", "http"])
def modern_peer(request):
    """The same, asked in the words of the modern version."""
    if request.param == "stdio":
        return request.getfixturevalue("stdio")("--scope", "admin", version=MODERN)
    return Http(request.getfixturevalue("daemon"), version=MODERN)


@pytest.fixture(params=[f"{how} {version}" for how in ("stdio", "http") for version in VERSIONS])
def each_peer(request):
    """The same, asked in the words of each version."""
    how, version = request.param.split()
    if how == "stdio":
        return request.getfixturevalue("stdio")("--scope", "admin", version=version)
    return Http(request.getfixturevalue("daemon"), version=version)


@pytest.fixture
def name():
    return f"store-{next(numbers)}"


@pytest.fixture
def store(peer, name):
    """The name of a store of two dimensions with the records 1, 2, 3."""
    peer.call("create_store", name=name, metric="euclidean")
    for i in (1, 2, 3):
        peer.call("insert_vector", store=name, id=i, vector=[i, 0], metadata={"n": i})
    return name
