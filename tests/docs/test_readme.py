"""The README's examples do what it says: each block is run, and its output compared with what is printed there."""
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EVDB_BUILD", ROOT / "build"))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


def block(kind):
    """The first block of a kind, and the text block that follows it."""
    at = next(i for i, (k, _) in enumerate(BLOCKS) if k == kind)
    follows = BLOCKS[at + 1][1] if at + 1 < len(BLOCKS) and BLOCKS[at + 1][0] == "text" else ""
    return BLOCKS[at][1], follows


def matches(expected, actual):
    """A line '...' stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line.rstrip()) + r"[ ]*\n" for line in expected.splitlines())
    return re.fullmatch(pattern, actual) is not None


def environment():
    env = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", PYTHONPATH=str(ROOT / "bindings" / "python"),
               EVDB_LIBRARY=str(BUILD / "libevdb.so"))
    env.pop("EVDB_DATA", None)
    return env


def test_the_command_line_session_prints_what_the_readme_shows(tmp_path):
    session = "".join(text for kind, text in BLOCKS if kind == "console")
    for step in re.split(r"^\$ ", session, flags=re.M)[1:]:
        command, expected = step.split("\n", 1)
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True)
        assert matches(expected, ran.stdout + ran.stderr), f"$ {command}\n{ran.stdout}{ran.stderr}\ninstead of\n{expected}"


def test_the_configuration_for_agents_starts_a_server(tmp_path):
    (server,) = json.loads(block("json")[0])["mcpServers"].values()
    words = [str(tmp_path / "memory") if word.startswith("/") else word for word in server["args"]]
    ran = subprocess.run([server["command"], *words], env=environment(), capture_output=True, text=True,
                         input='{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, '{"jsonrpc":"2.0","id":1,"result":{}}\n', "")


def test_the_c_example_compiles_and_prints_what_the_readme_shows(tmp_path):
    source, expected = block("c")
    (tmp_path / "example.c").write_text(source)
    compiler = shlex.split(os.environ.get("CC", "cc")) + shlex.split(os.environ.get("SAN", ""))
    subprocess.run([*compiler, "-Wall", "-Werror", f"-I{ROOT}/include", "example.c", str(BUILD / "libevdb.a"), "-lsqlite3",
                    "-ljansson", "-lsodium", "-lzstd", "-lpthread", "-lm", "-o", "example"], cwd=tmp_path, check=True)
    ran = subprocess.run(["./example"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == expected


def test_the_python_example_prints_what_the_readme_shows(tmp_path):
    pytest.importorskip("numpy")
    source, expected = block("python")
    if os.environ.get("SAN"):
        pytest.skip("a sanitized library cannot be loaded into a plain Python")
    ran = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == expected
