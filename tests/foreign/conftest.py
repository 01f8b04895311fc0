"""conftest.py - files of other programs: frozen ones, and ones that those programs make now, where tests/foreign/install has been."""
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
sys.path[:0] = [str(TREE / "tests" / "cli"), str(TREE / "bindings" / "python")]

from evdb_command import Evdb  # noqa: E402

PYTHON = TREE / "build" / "foreign" / "bin" / "python"


@pytest.fixture
def evdb(tmp_path):
    return Evdb(tmp_path)


@pytest.fixture
def make(evdb):
    """Has MAKER.py fill the command's directory and returns what must be found there."""
    def run(maker, seed):
        if not PYTHON.exists():
            pytest.skip("the programs themselves are not installed: make foreign")
        subprocess.run([str(PYTHON), str(HERE / f"{maker}.py"), str(evdb.directory), str(seed)], check=True, timeout=300)
        return json.loads(evdb.path("expected.json").read_text())
    return run


@pytest.fixture
def unpack(evdb):
    """The same of a frozen archive."""
    def run(name):
        with tarfile.open(HERE / f"{name}.tar.gz") as archive:
            archive.extractall(evdb.directory)
        return json.loads(evdb.path("expected.json").read_text())
    return run
