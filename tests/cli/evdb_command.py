"""evdb_command.py - runs the built `evdb` binary in a directory, as a shell would."""
import json
import os
import pty
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("EVDB") or str(ROOT / "build" / "evdb")

OK, FAILED, USAGE, NOT_FOUND, EXISTS, INVALID, CONFLICT, CORRUPT, IO, DENIED, BUSY, UNSUPPORTED, NEWER = range(13)


class Evdb:
    """The command in one directory; the database is its default, `data`."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def run(self, *words, stdin=None, env=None, stdout=subprocess.PIPE):
        """A finished process; stdin and its stdout are bytes, stderr is text."""
        environment = {k: v for k, v in os.environ.items() if k not in ("EVDB_DATA", "NO_COLOR")}
        environment.update(env or {})
        done = subprocess.run([BINARY, *map(str, words)], cwd=self.directory, env=environment, timeout=120,
                              input=b"" if stdin is None else stdin, stdout=stdout, stderr=subprocess.PIPE)
        done.stderr = done.stderr.decode()
        return done

    def text(self, *words, **how):
        """What a successful command prints."""
        done = self.run(*words, **how)
        assert done.returncode == OK, done.stderr
        assert done.stderr == ""
        return done.stdout.decode()

    def json(self, *words, **how):
        """The reply of a successful command."""
        line = self.text(*words, "--json", **how)
        assert line.endswith("\n") and line.count("\n") == 1
        return json.loads(line)

    def fails(self, status, *words, **how):
        """The message of a command that fails with this exit status."""
        done = self.run(*words, **how)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.startswith("evdb: ")
        return done.stderr

    def on_terminal(self, *words, env=None, columns=None):
        """What a command writes to a terminal, on both of its outputs, and its exit status."""
        leader, follower = pty.openpty()
        if columns:
            subprocess.run(["stty", "cols", str(columns)], stdin=follower, check=True)
        environment = {**os.environ, "TERM": "xterm", **(env or {})}
        if "NO_COLOR" not in (env or {}):
            environment.pop("NO_COLOR", None)
        done = subprocess.Popen([BINARY, *words], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                                stdout=follower, stderr=follower)
        os.close(follower)
        text = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            text += piece
        os.close(leader)
        return text.decode(), done.wait(60)

    def path(self, name):
        return self.directory / name

    def write(self, name, content):
        path = self.path(name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
