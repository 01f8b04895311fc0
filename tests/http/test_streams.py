"""test_streams.py - responses that are streams: they hold nobody up, end when their client leaves or does not read, and when the server does."""
import http.client
import pathlib
import socket
import struct
import sys
import threading
import time

import pytest
from http_client import PATIENCE, Client

sys.path.append(str(pathlib.Path(__file__).parents[1] / "daemon"))
from certificates import self_signed  # noqa: E402

# Small segments and a small window, so that neither kernel can hold what is not read.
NARROW = [(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536), (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
STREAM_BYTES_MAX = 1 << 20


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("certificate") / "echo")


@pytest.fixture(params=["plain", "tls"])
def connect(request, start):
    """Starts a server; a function that opens connections to it, and has the server as a member."""
    certificate = request.getfixturevalue("certificate") if request.param == "tls" else None

    def begin(**options):
        if certificate:
            options.update(certificate=certificate.file, key=certificate.key)
        server = start(**options)
        context = certificate.client() if certificate else None

        def client(options=()):
            server.clients.append(Client(server.ports[0], options, context))
            return server.clients[-1]

        client.server = server
        return client

    return begin


def opened(client, slot, query="", headers=()):
    """A stream, with its first words read."""
    head = client.request("GET", f"/stream/open/{slot}{query}", headers=headers).head()
    assert head.headers["transfer-encoding"] == "chunked"
    return head


def until(client, question, answer):
    """Asks until it is answered so; how long that took."""
    began = time.monotonic()
    while client.ask("GET", question).text != answer:
        assert time.monotonic() - began < PATIENCE, f"{question} is never answered {answer}"
    return time.monotonic() - began


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.threaded
def test_idle_streams_hold_no_worker_and_carry_what_is_written_to_them(connect):
    client = connect(threads=4)
    streams = [client() for _ in range(300)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
        assert stream.chunk() == b"GET -"
    other = client()
    for text in (b"one", b"two" * 1000):
        for slot in range(len(streams)):
            assert other.ask("POST", f"/stream/write/{slot}", text).text == "taken"
        for stream in streams:
            assert stream.chunk() == text
    for slot in range(len(streams)):
        other.ask("GET", f"/stream/end/{slot}")
    assert [stream.chunk() for stream in streams] == [b""] * len(streams)


def test_a_stream_has_the_status_and_headers_of_its_beginning(connect):
    client = connect()
    stream = client()
    head = opened(stream, 0, "?status=207", ["X-Thing: kept"])
    assert (head.status, head.headers["content-type"], head.headers["x-stream"]) == (207, "text/event-stream", "yes")
    assert stream.chunk() == b"GET kept"


def test_the_head_comes_before_anything_is_written(connect):
    client = connect()
    assert opened(client(), 0, "?silent").status == 200


@pytest.mark.threaded
def test_the_head_comes_while_the_handler_still_runs(connect):
    client = connect(threads=2)
    stream, other = client(), client()
    stream.request("GET", "/hold-stream", headers=["X-Thing: a header"])
    assert stream.head().headers["content-type"] == "text/plain"
    until(other, "/held", "1")
    other.ask("GET", "/release")
    assert [stream.chunk(), stream.chunk()] == [b"a header", b""]


@pytest.mark.threaded
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_departure_is_noticed(connect, leave):
    client = connect()
    stream, other = client(), client()
    opened(stream, 0)
    assert other.ask("GET", "/stream/left/0").text == "there"
    reset(stream) if leave == "reset" else stream.close()
    until(other, "/stream/left/0", "left")
    assert other.ask("POST", "/stream/write/0", b"x").text == "refused"
    other.ask("GET", "/stream/end/0")


@pytest.mark.threaded
def test_a_departure_is_noticed_while_the_handler_runs(connect):
    client = connect(threads=3)
    asked, streamed, other = client(), client(), client()
    asked.request("GET", "/wait")
    until(other, "/held", "1")
    asked.close()
    until(other, "/left", "1")
    opened(streamed, 0, "?silent")
    streamed = client()
    streamed.request("GET", "/hold-stream", headers=["X-Thing: gone"]).head()
    until(other, "/held", "1")
    streamed.close()
    until(other, "/held", "1")
    other.ask("GET", "/release")
    until(other, "/held", "0")


def test_streams_that_are_left_keep_no_descriptors(connect):
    """Whatever older connections there are."""
    client = connect()
    other = client()
    assert other.ask("GET", "/held").text == "0"
    before, began = client.server.descriptors(), time.monotonic()
    for slot in range(20):
        stream = client()
        opened(stream, slot)
        stream.close()
    while client.server.descriptors() > before:
        assert time.monotonic() - began < PATIENCE


@pytest.mark.threaded
def test_a_handler_whose_client_is_gone_still_knows_who_it_was(connect):
    client = connect(threads=3)
    streamed, other = client(), client()
    assert other.ask("GET", "/held").text == "0"
    streamed.request("GET", "/hold-stream").head()
    until(other, "/held", "1")
    with_it, began = client.server.descriptors(), time.monotonic()
    streamed.close()
    while client.server.descriptors() >= with_it:
        assert time.monotonic() - began < PATIENCE
    other.ask("GET", "/release")
    until(other, "/peer", "127.0.0.1")


def test_departures_of_many_are_noticed_and_make_room(start):
    server = start(connections_max=60)
    streams = [server.client() for _ in range(50)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
    other = server.client()
    for stream in streams:
        stream.close()
    for slot in range(len(streams)):
        until(other, f"/stream/left/{slot}", "left")
    without = server.descriptors()
    assert without < 50
    for slot in range(len(streams)):
        other.ask("GET", f"/stream/end/{slot}")


def test_an_idle_stream_is_no_idle_connection(connect):
    client = connect(idle_seconds=1, request_seconds=1)
    stream, silent, other = client(), client(), client()
    opened(stream, 0)
    opened(silent, 1, "?silent")
    assert stream.chunk() == b"GET -"
    assert other.closed_within(PATIENCE)
    assert not stream.closed_within(1.5) and not silent.closed_within(0)
    client().ask("POST", "/stream/write/0", b"still there")
    assert stream.chunk() == b"still there"


def test_a_reader_that_does_not_read_is_cut_off_at_its_deadline(connect):
    client = connect(request_seconds=1)
    stream, other = client(NARROW), client()
    stream.request("GET", "/stream/open/0").head()
    size = 130_000
    began = time.monotonic()
    assert other.ask("POST", "/stream/write/0", b"x" * size).text == "taken"
    until(other, "/stream/left/0", "left")
    assert time.monotonic() - began > 0.9
    assert stream.closed_within(PATIENCE)
    assert len(stream.kept) < size


def test_a_client_with_too_much_unread_is_cut_off(connect):
    client = connect()
    stream, other = client(NARROW), client()
    opened(stream, 0)
    told, sent = "taken", 0
    while told == "taken":
        told = other.ask("POST", "/stream/write/0", b"x" * 100_000).text
        sent += 1
        assert sent < 500
    assert sent * 100_000 > STREAM_BYTES_MAX
    assert told == "refused"
    assert other.ask("GET", "/stream/left/0").text == "left"
    assert stream.closed_within(PATIENCE)


@pytest.mark.threaded
def test_one_piece_may_be_of_any_size(connect):
    client = connect()
    stream, other = client(), client()
    opened(stream, 0)
    assert stream.chunk() == b"GET -"
    piece = b"0123456789abcdef" * (1 << 20)
    told = []
    writer = threading.Thread(target=lambda: told.append(other.ask("POST", "/stream/write/0", piece).text))
    writer.start()
    got = []
    while sum(map(len, got)) < len(piece):
        got.append(stream.chunk())
    writer.join()
    assert b"".join(got) == piece and told == ["taken"]


def test_the_connection_goes_on_behind_a_stream(connect):
    client = connect()
    stream, other = client(), client()
    for slot in range(3):
        opened(stream, slot)
        assert stream.chunk() == b"GET -"
        other.ask("GET", f"/stream/end/{slot}")
        assert stream.chunk() == b""
        assert stream.ask("POST", "/echo", b"well").text == "well"


def test_http_1_0_has_no_chunks_and_is_closed(connect):
    client = connect()
    stream, other = client(), client()
    stream.send(b"GET /stream/open/0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head = stream.head()
    assert "transfer-encoding" not in head.headers and head.headers["connection"].lower() == "close"
    other.ask("POST", "/stream/write/0", b" and more")
    other.ask("GET", "/stream/end/0")
    assert stream.closed_within(PATIENCE)
    assert stream.kept == b"GET - and more"


def test_head_is_answered_without_a_stream(connect):
    client = connect()
    stream, other = client(), client()
    assert stream.request("HEAD", "/stream/open/0").reply(bodiless=True).headers["x-stream"] == "yes"
    until(other, "/stream/left/0", "left")
    other.ask("GET", "/stream/end/0")
    assert stream.ask("POST", "/echo", b"well").text == "well"


def test_another_client_of_this_world_reads_a_stream(start):
    server = start()
    connection = http.client.HTTPConnection("127.0.0.1", server.ports[0], timeout=PATIENCE)
    connection.request("GET", "/stream/open/0")
    answer = connection.getresponse()
    for text in (b"one", b"two"):
        server.ask("POST", "/stream/write/0", text)
    server.ask("GET", "/stream/end/0")
    assert answer.read() == b"GET -onetwo"
    connection.close()


def test_streams_make_room_last(start):
    server = start(connections_max=20)
    streams = [server.client() for _ in range(10)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
        assert stream.chunk() == b"GET -"
    assert not streams[0].closed_within(1.2)  # so that it has been idle for as long as it takes to be a victim
    for _ in range(100):
        client = server.client().send(b"POST /echo HTTP/1.1\r\nHost: t\r\n")
        assert server.ask("POST", "/echo", b"ok").text == "ok"
    client.close()
    assert not any(stream.closed_within(0.01) for stream in streams)


def test_streams_do_not_shut_others_out(start):
    server = start(connections_max=10)
    streams = [server.client() for _ in range(10)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
    assert not streams[0].closed_within(1.2)
    assert server.ask("POST", "/echo", b"ok").text == "ok"
    assert sum(stream.closed_within(0.1) for stream in streams) >= 1


@pytest.mark.threaded
def test_the_end_of_the_server_ends_streams_first(connect):
    client = connect()
    streams = [client() for _ in range(20)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
        assert stream.chunk() == b"GET -"
    client.server.terminate()
    client.server.end()
    for stream in streams:
        assert [stream.chunk(), stream.chunk()] == [b"goodbye", b""]
        assert stream.closed_within(PATIENCE)


@pytest.mark.threaded
def test_streams_that_are_not_ended_are_cut_off_at_the_end(connect):
    client = connect(late=1, request_seconds=1)
    streams = [client() for _ in range(20)]
    for slot, stream in enumerate(streams):
        opened(stream, slot)
    client.server.terminate()
    client.server.end()
    assert all(stream.closed_within(PATIENCE) for stream in streams)


@pytest.mark.threaded
def test_a_stream_whose_handler_runs_is_finished_before_the_end(connect):
    client = connect(threads=3)
    stream, other = client(), client()
    stream.request("GET", "/hold-stream", headers=["X-Thing: to the end"]).head()
    until(other, "/held", "1")
    other.send(b"GET /release HTTP/1.1\r\nHo")  # half a request keeps the connection
    client.server.terminate()
    other.send(b"st: t\r\n\r\n").reply()
    assert [stream.chunk(), stream.chunk()] == [b"to the end", b""]
    client.server.end()


@pytest.mark.threaded
def test_writers_clients_that_leave_and_ends_do_not_collide(connect):
    client = connect(threads=4)
    slots = 40

    def turn(first):
        other = client()
        for round_ in range(5):
            for slot in range(first, first + slots):
                stream = client()
                opened(stream, slot)
                other.ask("POST", f"/stream/write/{slot}", b"y" * 5000)
                if (slot + round_) % 3 == 0:
                    reset(stream)
                elif (slot + round_) % 3 == 1:
                    stream.close()
                other.ask("POST", f"/stream/write/{slot}", b"z" * 5000)
                other.ask("GET", f"/stream/end/{slot}")
                stream.close()

    threads = [threading.Thread(target=turn, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client().ask("POST", "/echo", b"ok").text == "ok"
