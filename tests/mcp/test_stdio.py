"""test_stdio.py - `evdb mcp` as a process: lines in, lines out, and what it does at the end of either."""
import json
import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from mcp_peers import BUILD, Stdio

INVALID, USAGE, NOT_FOUND, IO = 5, 2, 3, 8
MIB = 1 << 20


def ping(id):
    return b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % id


def test_pipelined_requests_are_answered_in_order(stdio):
    server = stdio()
    lines = [ping(i) if i % 3 else json.dumps({"jsonrpc": "2.0", "id": i, "method": "tools/list"}).encode() for i in range(200)]
    out, err = server.process.communicate(b"\n".join(lines) + b"\n", timeout=120)
    assert [json.loads(line)["id"] for line in out.splitlines()] == list(range(200)) and err == b""


def test_it_ends_with_its_input(stdio):
    server = stdio()
    assert server.request("ping")["result"] == {}
    assert server.end() == (b"", "")


def test_a_last_line_need_not_end(stdio):
    out, err = stdio().process.communicate(ping(1), timeout=120)
    assert json.loads(out)["id"] == 1 and err == b""


def test_empty_lines_are_no_messages_and_carriage_returns_no_harm(stdio):
    out, _ = stdio().process.communicate(b"\n\r\n  \t\n" + ping(1) + b"\r\n\n" + ping(2) + b"\n\n", timeout=120)
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 2]


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(stdio):
    server = stdio()
    code, message, id = server.error(b'{"a":"' + b"x" * (33 * MIB) + b'"}')
    assert code == -31013 and "32 MiB" in message and id is None
    assert server.request("ping")["result"] == {}


def test_a_line_may_be_nearly_that_long(stdio):
    server = stdio()
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"x": "y" * (31 * MIB)}}}).encode()
    assert json.loads(server.exchange(line)) == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_garbage_is_answered_line_by_line_and_does_no_harm(stdio):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    server = stdio()
    for i in range(300):
        line = bytes(chance.choice(b'{}[]":,\\e0x\x00\xff\x01 ') for _ in range(chance.randrange(1, 200)))
        if line.strip(b" \t\r"):
            assert json.loads(server.exchange(line))["error"]["code"] in (-32700, -32600)
    assert server.request("ping")["result"] == {}


def test_only_messages_go_to_standard_output(stdio):
    server = stdio()
    server.call("create_store", name="s")
    server.fails("insert_vector", store="s", id=1, vector=[])
    out, err = server.end()
    assert out == b"" and err == ""


def test_an_answer_is_one_line_however_its_metadata_was_written(stdio, tmp_path):
    server = stdio()
    server.call("create_store", name="s")
    subprocess.run([BUILD / "evdb", "put", "s", "a", "-d", "data", "--vector", "[1]", "--metadata", '{"a":\n\r\n[1,\n2], "b": "c\\nd"}'],
                   cwd=tmp_path, check=True, capture_output=True)
    assert server.call("get_records", store="s", ids=["a"])["records"][0]["metadata"] == {"a": [1, 2], "b": "c\nd"}


def test_the_default_scope_writes_and_does_not_administer(stdio):
    server = stdio()
    server.call("create_store", name="s")
    server.call("insert_vector", store="s", id=1, vector=[1])
    assert server.call("search_vectors", store="s", vector=[1])["results"][0]["id"] == 1
    error = server.request("tools/call", {"name": "verify"})["error"]
    assert error == {"code": -31003, "message": "verify needs the scope 'admin'", "data": {"status": "DENIED", "retryable": False}}


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_every_tool_is_listed_to_everyone_and_refused_when_called(stdio, scope):
    stdio().call("create_store", name="s")
    server = stdio("--scope", scope)
    granted = ["read", "write", "admin"][:["read", "write", "admin"].index(scope) + 1]
    tools = server.tools()
    assert {"search_vectors", "insert_vector", "verify"} <= set(tools)
    for name, tool in tools.items():
        reply = server.request("tools/call", {"name": name, "arguments": {"no such argument": 1}})
        if tool["_meta"]["evdb/scope"] in granted:
            assert "no such argument" in reply["result"]["content"][0]["text"]
        else:
            assert reply["error"]["code"] == -31003 and f"'{tool['_meta']['evdb/scope']}'" in reply["error"]["message"]


def test_whoever_may_only_read_creates_no_database(tmp_path):
    server = Stdio(tmp_path, "--scope", "read")
    out, err = server.end(NOT_FOUND)
    assert out == b"" and "data" in err and os.listdir(tmp_path) == []


@pytest.mark.parametrize("words, status", [(["--scope", "root"], INVALID), (["--scope"], USAGE), (["word"], USAGE), (["--zz"], USAGE)])
def test_a_wrong_option_is_said_on_standard_error(tmp_path, words, status):
    out, err = Stdio(tmp_path, *words).end(status)
    assert out == b"" and err.startswith("evdb: ") and os.listdir(tmp_path) == []


def test_a_client_that_goes_away_ends_it(tmp_path):
    server = Stdio(tmp_path)
    server.process.stdout.close()
    server.send(ping(1))
    assert server.process.wait(120) == -signal.SIGPIPE
    assert server.process.stderr.read() == b""


def test_an_answer_that_cannot_be_written_is_an_error(tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BUILD / "evdb", "mcp", "-d", tmp_path / "data"], input=ping(1) + b"\n", stdout=full,
                              stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == IO and b"standard output" in done.stderr


def test_servers_on_one_directory_lose_none_of_each_others_writes(stdio):
    servers = [stdio() for _ in range(4)]
    servers[0].call("create_store", name="shared", metric="euclidean")

    def write(n):
        for i in range(50):
            servers[n].call("insert_vector", store="shared", id=n * 1000 + i, vector=[n, i])

    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(write, range(len(servers))))
    ids = [n * 1000 + i for n in range(4) for i in range(50)]
    for server in servers:
        assert server.call("count_records", store="shared") == {"count": 200}
        assert server.call("get_records", store="shared", ids=ids, vectors=False)["missing"] == []
        assert server.call("search_vectors", store="shared", vector=[3, 49], k=1)["results"][0]["id"] in ids


def test_one_server_sees_what_another_wrote_at_its_next_call(stdio):
    first, second = stdio(), stdio()
    first.call("create_store", name="s", metric="euclidean")
    for i in range(20):
        (first, second)[i % 2].call("insert_vector", store="s", id=i, vector=[i])
        found = (second, first)[i % 2].call("search_vectors", store="s", vector=[i], k=1)["results"]
        assert found[0]["id"] == i and found[0]["distance"] == 0
