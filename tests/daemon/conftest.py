"""conftest.py - servers that are stopped, and must stop well, behind each test."""
import os
import random

import pytest
from evdbd import Server

SEED = int(os.environ.get("EVDB_SEED") or random.SystemRandom().randrange(2**32))


def pytest_configure(config):
    config.addinivalue_line("markers", "threaded: worth running under the thread sanitizer")


def pytest_report_header(config):
    return f"seed {SEED}: EVDB_SEED={SEED} repeats this run"


@pytest.fixture
def rng():
    print(f"EVDB_SEED={SEED} repeats this run")
    return random.Random(SEED)


@pytest.fixture
def start(tmp_path):
    """Starts a server; on the test's own directory `data`, unless another is given."""
    servers = []

    def start_one(*flags, directory=None, **options):
        servers.append(Server(directory or tmp_path / "data", *flags, **options))
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


@pytest.fixture
def server(start):
    return start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all tests of a module that leave nothing behind that others would mind."""
    server = Server(tmp_path_factory.mktemp("shared") / "data")
    yield server
    server.stop()
