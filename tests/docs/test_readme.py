"""The README's examples do what it says: each block is run, and its output compared with what is printed there."""
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EVDB_BUILD", ROOT / "build"))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


def blocks(kind):
    """The blocks of a kind, each with the text block that follows it."""
    behind = [*BLOCKS[1:], ("", "")]
    return [(text, after if of == "text" else "") for (what, text), (of, after) in zip(BLOCKS, behind) if what == kind]


def matches(expected, actual):
    """A line '...' stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line.rstrip()) + r"[ ]*\n" for line in expected.splitlines())
    return re.fullmatch(pattern, actual) is not None


def environment():
    env = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", PYTHONPATH=str(ROOT / "bindings" / "python"),
               EVDB_LIBRARY=str(BUILD / "libevdb.so"))
    env.pop("EVDB_DATA", None)
    return env


class Shell:
    """One shell for all steps, so that variables and background jobs stay."""

    def __init__(self, directory):
        plain = {name: value for name, value in environment().items() if name != "LD_PRELOAD"}  # Python alone needs it
        self.process = subprocess.Popen(["sh"], cwd=directory, env=plain, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, command):
        self.process.stdin.write(command.encode() + b"\nprintf '\\036'\n")
        self.process.stdin.flush()
        output = b""
        while not output.endswith(b"\036"):
            output += self.process.stdout.read(1) or pytest.fail(f"the shell ended: {output}")
        text = output[:-1].decode()
        return text if text.endswith("\n") or not text else text + "\n"  # where a terminal would show the next prompt

    def end(self):
        """With all that it started."""
        self.process.stdin.close()
        self.process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.end()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_listener(port):
    """A person types slower than a server starts; a test does not."""
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the server does not start"


def test_the_sessions_print_what_the_readme_shows_one_after_the_other_in_one_directory(shell):
    sessions = [text for kind, text in BLOCKS if kind == "console"]
    assert len(sessions) == 3
    port = free_port()  # for 8080, where something else may listen
    for step in re.split(r"^\$ ", "".join(sessions).replace("8080", str(port)), flags=re.M)[1:]:
        command, expected = step.split("\n", 1)
        printed = shell.run(command)
        assert matches(expected, printed), f"$ {command}\n{printed}\ninstead of\n{expected}"
        if command.endswith("&"):
            await_listener(port)


def test_the_configuration_for_agents_starts_a_server(tmp_path):
    (server,) = json.loads(blocks("json")[0][0])["mcpServers"].values()
    words = [str(tmp_path / "memory") if word.startswith("/") else word for word in server["args"]]
    ran = subprocess.run([server["command"], *words], env=environment(), capture_output=True, text=True,
                         input='{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, '{"jsonrpc":"2.0","id":1,"result":{}}\n', "")


@pytest.mark.parametrize("source, expected", blocks("c"), ids=lambda _: "")
def test_a_c_example_compiles_and_prints_what_the_readme_shows(source, expected, tmp_path):
    (tmp_path / "example.c").write_text(source)
    compiler = shlex.split(os.environ.get("CC", "cc")) + shlex.split(os.environ.get("SAN", ""))
    subprocess.run([*compiler, "-Wall", "-Werror", f"-I{ROOT}/include", "example.c", str(BUILD / "libevdb.a"), "-lsqlite3",
                    "-ljansson", "-lsodium", "-lzstd", "-lz", "-lpthread", "-lm", "-o", "example"], cwd=tmp_path, check=True)
    ran = subprocess.run(["./example"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == expected


@pytest.mark.parametrize("source, expected", blocks("python"), ids=lambda _: "")
def test_a_python_example_prints_what_the_readme_shows(source, expected, tmp_path):
    pytest.importorskip("numpy")
    if os.environ.get("SAN"):
        pytest.skip("a sanitized library cannot be loaded into a plain Python")
    ran = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == expected
