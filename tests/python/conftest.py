"""Shared by the Python tests: where the binding and the library are, the seed, and an open database."""
import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

TREE = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("EVDB_SEED") or random.SystemRandom().randrange(2**32))

# The tree's own binding and library, also where another evdb is installed.
sys.path.insert(0, str(TREE / "bindings" / "python"))
os.environ.setdefault("EVDB_LIBRARY", str(TREE / "build" / "libevdb.so"))

import evdb  # noqa: E402


def pytest_report_header(config):
    return f"evdb {evdb.library_version()} ({evdb.kernel()}), seed {SEED}: EVDB_SEED={SEED} repeats this run"


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


@pytest.fixture
def tree():
    return TREE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "db"


@pytest.fixture
def db(path):
    with evdb.open(path) as database:
        yield database


@pytest.fixture
def run():
    """Runs Python source in another process, with the same binding; returns what it printed."""
    import subprocess

    def call(source, *arguments):
        environment = dict(os.environ, PYTHONPATH=str(TREE / "bindings" / "python"))
        done = subprocess.run([sys.executable, "-c", source, *map(str, arguments)], env=environment, text=True,
                              capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return call
