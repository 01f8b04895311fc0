"""The small examples print what examples/README.md says, and the quickstart finds every neighbour."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("EVDB_BUILD", TREE / "build")) / "examples"
DATASET = Path("/usr/share/datasets/fashion-mnist")
SHOWN = dict(re.findall(r"^`build/examples/(\w+)`:\n\n((?:    .*\n)+)", (TREE / "examples/README.md").read_text(), re.M))


def run(name, *arguments):
    done = subprocess.run([PROGRAMS / name, *arguments], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def serve(database):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVDB_")}
    return subprocess.run([TREE / "examples/serve.sh", PROGRAMS.parent / "evdbd", database], env=environment, text=True,
                          capture_output=True)


def test_every_small_example_is_shown():
    sources = {source.stem for source in (TREE / "examples").glob("*.c")}
    assert sources - {"quickstart"} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_prints_what_its_readme_shows(name):
    assert run(name) == re.sub("^    ", "", SHOWN[name], flags=re.M)


@pytest.mark.skipif(not DATASET.exists(), reason="dataset-fashion-mnist is not installed")
def test_the_quickstart_finds_every_neighbour_and_serves_what_it_stored(tmp_path):
    lines = run("quickstart", tmp_path / "db").splitlines()
    assert lines[-1] == "library    passed"
    assert any(line.startswith("recall     1.0000") for line in lines)
    done = serve(tmp_path / "db")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "quickstart: passed"
    assert "REST       most like picture 42: Ankle boot, Ankle boot, Ankle boot, Ankle boot, Ankle boot" in lines


def test_the_quickstart_says_why_its_server_does_not_start(tmp_path):
    done = serve(tmp_path / "missing/db")
    assert done.returncode == 1 and done.stdout == ""
    assert "missing/db: cannot be made" in done.stderr
    assert done.stderr.splitlines()[-1] == "quickstart: FAILED"


def test_the_quickstart_says_that_its_data_set_is_missing(tmp_path):
    done = subprocess.run([PROGRAMS / "quickstart", tmp_path / "db", tmp_path], text=True, capture_output=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "quickstart: FAILED"
    assert "dataset-fashion-mnist" in done.stderr
