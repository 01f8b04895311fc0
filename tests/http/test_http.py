"""test_http.py - requests and responses: what the handler sees, what the client gets, what is refused."""
import json
import os
import subprocess
import time

import pytest
from echo_server import PATIENCE, PROGRAM

MIB = 1 << 20


def problem(reply, status):
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    body = json.loads(reply.body)
    assert body["status"] == status and body["detail"] and body["title"] and body["code"]
    return body


def test_the_handler_sees_the_request(server):
    lines = server.ask("PUT", "/a%20b/%C3%A9?x=%20&y", b"abc", ["X-Thing: some"]).text.split("\n")
    assert lines == ["PUT", "/a b/é", "x=%20&y", "3", str(server.ports[0]), "127.0.0.1", "some", ""]


def test_header_names_have_no_case(server):
    for name in ("x-thing", "X-THING", "X-Thing"):
        assert server.ask("GET", "/", headers=[f"{name}: v"]).text.split("\n")[6] == "v"
    assert server.ask("GET", "/").text.split("\n")[6] == "-"


def test_status_headers_and_an_empty_body_go_out(server):
    reply = server.ask("GET", "/teapot")
    assert (reply.status, reply.headers["x-pot"], reply.body) == (418, "tea", b"")
    assert "date" in reply.headers


def test_a_connection_serves_many_requests(server):
    client = server.client()
    for i in range(50):
        assert client.ask("POST", "/echo", f"number {i}".encode()).text == f"number {i}"


def test_pipelined_requests_are_answered_in_order(server):
    client = server.client()
    client.send(b"".join(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\n%03d" % i for i in range(100)))
    assert [client.reply().text for _ in range(100)] == [f"{i:03d}" for i in range(100)]


def test_head_is_answered_like_get_without_the_body(server):
    client = server.client()
    reply = client.ask("HEAD", "/bytes/1000")
    assert (reply.status, reply.headers["content-length"]) == (200, "1000")
    assert client.ask("GET", "/bytes/10").body == b"x" * 10


def test_a_file_is_sent_whole_and_the_connection_goes_on(server):
    client = server.client()
    for size in (0, 1, 70000, 20_000_001):
        body = (b"0123456789" * (size // 10 + 1))[:size]
        assert client.ask("GET", f"/file/{size}").body == body
    assert client.ask("HEAD", "/file/70000").headers["content-length"] == "70000"
    assert client.ask("GET", "/bytes/3").body == b"xxx"


def test_files_are_closed_behind_their_responses(server):
    client = server.client()

    def open_files():
        client.ask("GET", "/file/10")
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    before = open_files()
    for _ in range(100):
        leaver = server.client().request("GET", "/file/5000000")
        leaver.close()
    until = time.monotonic() + PATIENCE
    while open_files() > before + 2:
        assert time.monotonic() < until, "files stay open"


def test_http_1_0_closes(server):
    client = server.client().send(b"GET /bytes/3 HTTP/1.0\r\n\r\n")
    assert client.reply().body == b"xxx"
    assert client.closed_within(10)


def test_a_chunked_body_arrives_whole(server):
    client = server.client()
    for _ in range(2):
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"abc", b"d" * 1000, b"e" * 70000):
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.send(b"0\r\n\r\n")
        assert client.reply().body == b"abc" + b"d" * 1000 + b"e" * 70000


def test_a_body_of_bytes_arrives_whole(server):
    body = bytes(range(256)) * 4096
    assert server.ask("POST", "/echo", body).body == body


def test_32_mib_are_taken_and_33_are_not(server):
    client = server.client()
    assert client.ask("POST", "/echo", b"x" * (32 * MIB)).body == b"x" * (32 * MIB)
    problem(client.ask("POST", "/echo", b"x" * (33 * MIB)), 413)
    assert server.ask("POST", "/echo", b"ok").text == "ok"


def test_a_body_announced_too_large_is_refused_before_it_is_sent(start):
    server = start(body_max=1000)
    for head in (b"Content-Length: 1001\r\nExpect: 100-continue", b"Content-Length: 2001"):
        client = server.client().send(b"POST /echo HTTP/1.1\r\nHost: t\r\n" + head + b"\r\n\r\n")
        problem(client.reply(), 413)
        assert client.closed_within(10)


def test_a_chunked_body_is_counted(start):
    server = start(body_max=1000)
    client = server.client().send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (1500, b"x" * 1500))
    problem(client.reply(), 413)


def test_a_chunked_body_without_end_is_dropped(start):
    server = start(body_max=1000)
    client = server.client().send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(ConnectionError):
        for _ in range(10000):
            client.send(b"%x\r\n%s\r\n" % (1000, b"x" * 1000))
    assert server.ask("POST", "/echo", b"ok").text == "ok"


@pytest.mark.parametrize("fields", [
    b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Content-Length: 3\r\nContent-Length: 4",
    b"Content-Length: 3\r\ncontent-length: 3",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Authorization: a\r\nAuthorization: b",
    b"Host: other",
    b"Transfer-Encoding : chunked\r\nContent-Length: 3",
    b"Transfer-Encoding: chunked\r\nContent-Length\t: 3",
])
def test_a_request_that_can_be_read_in_two_ways_is_refused(server, fields):
    client = server.client().send(b"POST /echo HTTP/1.1\r\nHost: t\r\n" + fields + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    problem(client.reply(), 400)
    assert client.closed_within(10)


def test_a_compressed_body_is_refused(server):
    problem(server.ask("POST", "/echo", b"abc", headers=["Content-Encoding: gzip"]), 415)
    assert server.ask("POST", "/echo", b"abc", headers=["Content-Encoding: identity"]).text == "abc"


@pytest.mark.parametrize("target", ["/%00", "/a%", "/a%2", "/a%zz", "/a%2Fb", "/a%2fb", "*", "a", "/a%20%0", "/a#b"])
def test_a_malformed_path_is_refused(server, target):
    problem(server.ask("GET", target), 400)


@pytest.mark.parametrize("target,path,query", [
    ("http://host/a?b", "/a", "b"), ("http://host", "/", ""), ("http://host?q", "/", "q"), ("/?", "/", ""),
    ("/a+b", "/a+b", ""), ("/%3F?%3F", "/?", "%3F"), ("//a/../b", "//a/../b", ""), ("/a?b?c", "/a", "b?c"),
])
def test_a_target_is_taken_apart(server, target, path, query):
    assert server.ask("GET", target).text.split("\n")[1:3] == [path, query]


def test_a_large_head_is_taken_and_a_larger_one_is_not(server):
    assert server.ask("GET", "/bytes/1", headers=["X: " + "x" * 15000]).body == b"x"
    problem(server.ask("GET", "/bytes/1", headers=["X: " + "x" * 17000]), 431)
    assert server.ask("GET", "/bytes/1", headers=["X: " + "x" * 300000]).status == 431


@pytest.mark.parametrize("form,name,expected", [
    ("a=1&b=2", "b", "once 2"), ("a=1&a=2", "a", "twice 1"), ("a=1", "b", "none "), ("", "a", "none "),
    ("a=x+y%26z", "a", "once x y&z"), ("a", "a", "once "), ("a=", "a", "once "), ("&&a=1&&", "a", "once 1"),
    ("a=b=c", "a", "once b=c"), ("%61=1", "a", "once 1"), ("%61=1&a=2", "a", "twice 1"), ("aa=1", "a", "none "),
    ("a=1", "aa", "none "), ("a=%", "a", "none "), ("a=%4", "a", "none "), ("a=%4&b", "a", "none "),
    ("a=%00", "a", "none "), ("a=%C3%A9", "a", "once é"), ("=1", "a", "none "), ("a=%2b%2B", "a", "once ++"),
])
def test_a_parameter_of_a_form(server, form, name, expected):
    assert server.ask("POST", f"/parameter/{name}", form.encode()).text == expected


def test_what_is_not_http_is_refused(server):
    for junk in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"hello\r\n\r\n"):
        client = server.client().send(junk)
        assert client.closed_within(30)
    assert server.ask("POST", "/echo", b"ok").text == "ok"


def test_each_port_says_which_it_is(start):
    server = start(ports=3)
    assert len(set(server.ports)) == 3
    for slot in range(3):
        assert server.ask("GET", "/", slot=slot).text.split("\n")[4] == str(server.ports[slot])


def test_a_port_in_use_is_named(server):
    second = subprocess.run([PROGRAM, f"port={server.ports[0]}"], capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr == f"BUSY: port {server.ports[0]} is in use\n"
