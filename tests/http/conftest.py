"""conftest.py - servers that are stopped, and must stop well, behind each test."""
import pytest
from echo_server import Server


def pytest_configure(config):
    config.addinivalue_line("markers", "threaded: worth running under the thread sanitizer")


@pytest.fixture
def start():
    servers = []

    def start_one(**options):
        servers.append(Server(**options))
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


@pytest.fixture
def server(start):
    return start()
