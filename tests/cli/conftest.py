"""conftest.py - a command in an empty directory, and one with a store of three records."""
import pytest
from evdb_command import Evdb


@pytest.fixture
def evdb(tmp_path):
    return Evdb(tmp_path)


@pytest.fixture
def docs(evdb):
    """Store `docs`: a, b, c in three dimensions, euclidean."""
    evdb.text("create", "docs", "--dim", "3", "--metric", "euclidean")
    evdb.text("put", "docs", "a", "--vector", "[1,2,3]", "--metadata", '{"lang":"en"}')
    evdb.text("put", "docs", "b", "--vector", "[1,2,4]")
    evdb.text("put", "docs", "c", "--vector", "[9,9,9]")
    return evdb
