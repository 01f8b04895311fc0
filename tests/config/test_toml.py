"""test_toml.py - the file's syntax against Python's tomllib: what evdbd accepts, tomllib reads to the same values, and what
tomllib refuses, evdbd refuses. Files are made at random: EVDB_SEED=n repeats a run."""
import os
import random
import tomllib

import pytest
from evdbd_config import WRONG_CONFIGURATION, run, values

SEED = int(os.environ.get("EVDB_SEED") or random.SystemRandom().randrange(2**32))
DEFAULTS = values()
UNITS = {"": 1, "ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
SECRETS = ("default_client_secret", "cluster_cookie")
MS = ("token_lifetime", "refresh_token_lifetime", "heartbeat_interval", "sync_interval", "idle_timeout", "request_timeout")
TEXTS = ("default_client_id", "node_name", "compression_algorithm", "persistence_dir", "backup_dir", "cluster_cookie")


def milliseconds(value):
    if not isinstance(value, str):
        return value
    digits = value.rstrip("mshd")
    return int(digits) * UNITS[value[len(digits):]]


def compare(path, data):
    """Whether evdbd accepts the file; fails when tomllib has another opinion."""
    path.write_bytes(data)
    done = run("--config", path, "--print-config")
    if done.returncode:
        assert done.returncode == WRONG_CONFIGURATION and done.stderr.startswith(b"evdbd: " + bytes(path)), (data, done.stderr)
        return False
    expected = dict(DEFAULTS)
    for name, value in tomllib.loads(data.decode()).items():  # an exception here is a finding
        expected[name] = milliseconds(value) if name in MS else "***" if name in SECRETS and value else value
    assert tomllib.loads(done.stdout.decode()) == expected, data
    return True


def string(rng):
    """A string as TOML writes it."""
    letters = [*"abc/._- #='\"\\[]{},:\t", "é", "Ω", "雪", "😀", "\ud7ff", "\ue000"]
    text = [rng.choice(letters) for _ in range(rng.randrange(1, 12))]
    if rng.random() < 0.3:
        return "'" + "".join(letter for letter in text if letter != "'") + "x'"
    escaped = {'"': '\\"', "\\": "\\\\"}
    more = ["\\n", "\\t", "\\r", "\\b", "\\f", "\\u00e9", "\\U0001F600", "\\uABCD", "\\\\"]
    return '"' + "".join(rng.choice(more) if rng.random() < 0.2 else escaped.get(letter, letter) for letter in text) + '"'


def line(rng):
    kind = rng.choice(["text", "text", "text", "ms", "port", "bool", "comment", "blank"])
    space = lambda: rng.choice(["", " ", "\t", "  "])  # noqa: E731
    comment = rng.choice(["", "", "", "#", "# what = 'this'", "#\té雪\\x\""])
    if kind == "comment":
        return space() + "# " + string(rng)
    if kind == "blank":
        return space()
    if kind == "text":
        name, value = rng.choice(TEXTS), string(rng)
    elif kind == "ms":
        name = rng.choice(MS)
        value = rng.choice(["5000", "5_000", "+5000", '"5s"', "'5000ms'", '"5000"', "1_0_000", '"\\u0035s"'])
    elif kind == "port":
        name, value = rng.choice(["mcp_port", "oauth_port"]), rng.choice(["0", "-0", "+0", "80", "8_0", "65535"])
    else:
        name, value = "rest_api_enabled", rng.choice(["true", "false"])
    return f"{space()}{name}{space()}={space()}{value}{space()}{comment}"


def file(rng):
    lines, seen = [], set()
    for _ in range(rng.randrange(1, 12)):
        made = line(rng)
        name = made.split("=")[0].strip()
        if name in seen and "#" not in name:
            continue
        seen.add(name)
        lines.append(made)
    return "".join(made + rng.choice(["\n", "\n", "\n", "\r\n"]) for made in lines).encode("utf-8", "surrogatepass")


def damage(rng, data):
    """One to three small changes at places that matter."""
    telling = [b"\0", b"\r", b"\n", b"\t", b"\x7f", b"\x1f", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"'", b"\\",
               b"#", b"=", b".", b"_", b"0", b"-", b"+", b"e", b"u", b"[", b"]", b"{", b'"""', b"'''", b" ", b"\\u00", b"\\x41"]
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        cut = rng.choice([0, 0, 1, 1, 2])
        data = data[:at] + rng.choice([b"", *telling]) + data[at + cut:]
    return data


@pytest.fixture
def rng():
    print(f"EVDB_SEED={SEED} repeats this run")
    return random.Random(SEED)


def test_files_as_people_write_them_are_accepted_and_read_as_tomllib_reads_them(rng, tmp_path):
    for _ in range(150):
        data = file(rng)
        assert compare(tmp_path / "evdbd.conf", data), data


def test_damaged_files_are_refused_or_read_as_tomllib_reads_them(rng, tmp_path):
    accepted = sum(compare(tmp_path / "evdbd.conf", damage(rng, file(rng))) for _ in range(400))
    assert 20 < accepted < 380


VALUES = [
    '"', "'", '""', "''", '"""a"""', "'''a'''", '"""', "'a'b", '"a" "b"', '"a\\"', '"a\\\\"', '"\\q"', '"\\u12"', '"\\u12G4"',
    '"\\ud800"', '"\\U00110000"', '"\\U0010FFFF"', '"\\u0000"', '"\\e"', '"\\ "', '"a\tb"', '"a\x00b"', '"a\x7fb"', '"a\x1fb"',
    '"a\rb"', "'a\\'", "'a\x01'", "a", "true", "false", "True", "nan", "inf", "+inf", "1.0", "1e3", "0x10", "0o17", "0b1", "1979-05-27",
    "07:32:00", "1979-05-27T07:32:00Z", "[]", "[1]", "{}", "{a = 1}", "+", "-", "_", "1_", "_1", "1__0", "00", "-0", "+1", "+-1", "01",
    "0_0", "1 2", "1,", "1;", "9223372036854775807", "9223372036854775808", "", "#", "= 1", "é", "“a”", "٣",
]


BEHIND = ["", "\n", "\r\n", "\r", " # é", "#\x01", "#\x7f", "\x00", "\x0b"]


@pytest.mark.parametrize("name,behind", [("node_name", BEHIND), ("mcp_port", ["", "\r", " #\x01"]), ("rest_api_enabled", [""]),
                                         ("token_lifetime", [""])], ids=["text", "number", "boolean", "time"])
def test_a_value_is_never_read_in_another_way(name, behind, tmp_path):
    for value in VALUES:
        for end in behind:
            compare(tmp_path / "evdbd.conf", f"{name} = {value}{end}".encode())


@pytest.mark.parametrize("text", [
    b"\xef\xbb\xbfmcp_port = 1", b"mcp_port = 1\0", b"# \xff\n", b"mcp_port = 1 # \xc3(", b'node_name = "\xed\xa0\x80"',
    b'node_name = "\xf5\x80\x80\x80"', b'node_name = "\xc0\x80"', b'node_name = "\xe0\x80\x80"', b"# \x08\n", b"\x0c", b"\rmcp_port = 1",
    b'"mcp_port" = 1', b"mcp.port = 1", b"mcp_port : 1", b"mcp_port = 1 mcp_port = 2", b"= 1", b"mcp_port == 1", b"mcp_port = 1\r",
    b"[a]\nmcp_port = 1", b"[[a]]", b"mcp_port\n= 1", b"mcp_port =\n1", b"node_name = \"a\nb\"",
], ids=lambda value: "")
def test_what_is_no_plain_setting_is_refused(text, tmp_path):
    assert not compare(tmp_path / "evdbd.conf", text)


def test_limits_of_size_are_refusals(tmp_path):
    path = tmp_path / "evdbd.conf"
    assert compare(path, b"#" + b"x" * 8190 + b"\n")
    assert not compare(path, b"#" + b"x" * 8191 + b"\n")
    assert compare(path, b"#\n" * (1 << 19))
    assert not compare(path, b"#\n" * (1 << 19) + b"#")
    assert not compare(path, b'node_name = "' + b"x" * 256 + b'"')
