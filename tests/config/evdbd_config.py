"""evdbd_config.py - asks the built evdbd what it makes of a configuration, without starting a server."""
import os
import pathlib
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EVDB_BUILD", ROOT / "build"))
PROGRAM = BUILD / "evdbd"
WRONG_CONFIGURATION = 2  # exit status


def run(*flags, env=(), cwd=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVDB_")}
    return subprocess.run([PROGRAM, *flags], env={**clean, **dict(env)}, cwd=cwd, capture_output=True, timeout=60)


def values(*flags, env=(), cwd=None):
    """What is in force, read from what --print-config prints."""
    done = run(*flags, "--print-config", env=env, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return tomllib.loads(done.stdout.decode())


def refusal(*flags, env=(), cwd=None):
    """The message with which a configuration is refused."""
    done = run("--check-config", *flags, env=env, cwd=cwd)
    assert (done.returncode, done.stdout) == (WRONG_CONFIGURATION, b""), done.stdout
    message = done.stderr.decode()
    assert message.startswith("evdbd: ") and message.endswith("\n") and message.count("\n") == 1
    return message[len("evdbd: "):-1]
