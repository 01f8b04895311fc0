"""test_limits.py - slow, absent, vanishing and numerous clients, a full queue, and the end of the server."""
import json
import select
import socket
import struct
import threading
import time

import pytest
from http_client import PATIENCE, Client
from load import Load


def drip(client, data, seconds):
    """Sends a byte each tenth of a second until the server ends the connection; how long it took, or None."""
    began = time.monotonic()
    for byte in data:
        try:
            client.socket.send(bytes([byte]))
        except ConnectionError:
            return time.monotonic() - began
        if client.closed_within(0.1):
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            return None
    return None


HEAD = b"POST /echo HTTP/1.1\r\nHost: t\r\n"
SLOW = {
    "head": (b"", HEAD + b"X: " + b"x" * 5000),
    "body": (HEAD + b"Content-Length: 5000\r\n\r\n", b"x" * 5000),
    "chunked body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    "second head": (b"GET /bytes/0 HTTP/1.1\r\nHost: t\r\n\r\n", HEAD + b"X: " + b"x" * 5000),
}


@pytest.mark.parametrize("part", SLOW)
def test_a_byte_at_a_time_is_cut_off_while_others_are_served(start, part):
    server = start(request_seconds=1)
    at_once, slowly = SLOW[part]
    slow, healthy, took = server.client().send(at_once), server.client(), []
    thread = threading.Thread(target=lambda: took.append(drip(slow, slowly, PATIENCE)))
    thread.start()
    served = 0
    while thread.is_alive():
        assert healthy.ask("POST", "/echo", b"well").text == "well"
        served += 1
    assert served
    assert took[0] is not None and took[0] > 0.9


def test_a_reader_that_does_not_read_is_cut_off_while_others_are_served(start):
    # Small segments and a small window, so that neither kernel can hold what is not read.
    size, narrow = 130_000, [(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536), (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
    server = start(request_seconds=1)
    healthy = server.client()
    assert healthy.ask("POST", "/echo", b"well").text == "well"
    without = server.descriptors()
    client = server.client(options=narrow).request("GET", f"/bytes/{size}")
    began = time.monotonic()
    for there in (True, False):
        while (server.descriptors() > without) != there:
            assert healthy.ask("POST", "/echo", b"well").text == "well"
            assert time.monotonic() - began < PATIENCE
    assert time.monotonic() - began > 0.9
    assert client.closed_within(PATIENCE)
    assert len(client.kept) < size


def test_an_idle_connection_is_closed(start):
    server = start(idle_seconds=1)
    fresh, kept = server.client(), server.client()
    assert kept.ask("GET", "/bytes/1").body == b"x"
    assert fresh.closed_within(PATIENCE)
    assert kept.closed_within(PATIENCE)


def test_an_idle_connection_is_closed_while_a_request_takes_long(start):
    server = start(ports=2, idle_seconds=1)
    held = server.client().request("GET", "/hold")
    server.wait_held(1)
    for slot in (0, 1):
        kept = server.client(slot)
        assert kept.ask("GET", "/bytes/1").body == b"x"
        assert kept.closed_within(PATIENCE)
    server.ask("GET", "/release")
    assert held.reply().status == 200


def test_a_chunk_without_an_end_of_its_first_line_is_given_up(start):
    server = start()
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    clients = [server.client().send(head + start_of + b"a" * 60000) for start_of in (b"5;", b"0" * 40000) for _ in range(20)]
    assert server.ask("POST", "/echo", b"ok").text == "ok"
    assert all(client.closed_within(PATIENCE) for client in clients)


def test_idling_is_not_held_against_a_request(start):
    server = start(request_seconds=1, idle_seconds=30)
    client = server.client()
    assert client.ask("GET", "/bytes/1").body == b"x"
    assert not client.closed_within(2)
    assert client.ask("GET", "/bytes/1").body == b"x"


def reset(client):
    """Leaves with a reset instead of a farewell."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.threaded
@pytest.mark.parametrize("leave", [Client.close, reset])
def test_clients_vanish_anywhere(server, leave):
    request = HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 100000
    for cut in (1, 10, len(HEAD), len(HEAD) + 26, len(HEAD) + 1000, len(request) - 1, len(request)):
        leave(server.client().send(request[:cut]))
    for size in (1, 1000, 10_000_000):
        leave(server.client().request("GET", f"/bytes/{size}"))
    client = server.client().request("GET", "/bytes/10000000")
    client.socket.recv(1000)
    leave(client)
    assert server.ask("POST", "/echo", b"ok").text == "ok"


def test_a_client_vanishes_while_its_request_is_worked_on(start):
    server = start(threads=2)
    held = server.client().request("GET", "/hold")
    server.wait_held(1)
    reset(held)
    server.ask("GET", "/release")
    server.wait_held(0)


def test_1500_connections_at_a_limit_of_1000(start):
    server = start()
    idle = [server.client() for _ in range(1500)]
    assert server.ask("POST", "/echo", b"ok").text == "ok"
    closed = sum(client.closed_within(0.001) for client in idle)
    assert 500 <= closed <= 502
    assert all(client.ask("GET", "/bytes/1").body == b"x" for client in idle[-900:])


@pytest.mark.threaded
def test_slow_clients_do_not_shut_others_out(start):
    server = start(connections_max=50)
    slow = [server.client().send(HEAD) for _ in range(300)]
    for _ in range(20):
        assert server.ask("POST", "/echo", b"ok").text == "ok"
        slow.append(server.client().send(HEAD))


def test_a_kept_connection_that_is_in_use_makes_no_room_for_slow_clients(start):
    server = start(connections_max=50)
    kept = server.client()
    for _ in range(200):
        server.client().send(HEAD + b"Content-Length: 9\r\n\r\n")
        assert kept.ask("POST", "/echo", b"ok").text == "ok"


def test_nobody_who_is_being_answered_makes_room(start):
    server = start(connections_max=4, threads=5)
    held = [server.client().request("GET", "/hold") for _ in range(3)]
    server.wait_held(3)  # over the fourth connection
    fourth = server.clients[-1]
    fourth.request("GET", "/hold")
    with pytest.raises(ConnectionError):
        while True:
            server.ask("GET", "/held")
    held.append(fourth)
    server.terminate()
    assert not held[0].closed_within(0.5)
    server.process.kill()
    server.process.communicate()


def test_a_full_queue_says_503_and_when_to_come_back(start):
    server = start(threads=1, connections_max=2000)
    clients = [server.client().request("GET", "/hold") for _ in range(1040)]
    # One is with the worker and 1024 wait; each of the others is told at once.
    poll = select.poll()
    by_descriptor = {client.socket.fileno(): client for client in clients}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    told = set()
    while len(told) < 15:
        told |= {descriptor for descriptor, _ in poll.poll(PATIENCE * 1000)}
    for descriptor in told:
        reply = by_descriptor.pop(descriptor).reply()
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert json.loads(reply.body)["status"] == 503
    assert len(by_descriptor) == 1025
    server.process.kill()
    server.process.communicate()


@pytest.mark.threaded
@pytest.mark.parametrize("keep", [True, False], ids=["kept connections", "new connections"])
def test_stopping_under_load_loses_no_accepted_request(start, keep):
    def ask(client, _):
        reply = client.ask("POST", "/echo", b"x" * 1000)
        assert reply.status == 200 and len(reply.body) == 1000
        return reply

    server = start()
    load = Load(server.ports[0], 8, keep, ask)
    load.await_start()
    server.terminate()
    load.await_end()
    assert server.end() == load.answered
    assert load.lost == []


@pytest.mark.threaded
def test_requests_under_way_are_answered_before_the_end(start):
    server = start(threads=3)
    held = [server.client().request("GET", "/hold") for _ in range(2)]
    server.wait_held(2)
    half = server.client().send(HEAD + b"Content-Length: 4\r\n\r\nab")
    releaser = server.client()
    server.terminate()
    with pytest.raises(ConnectionError):  # the door is closed
        while True:
            Client(server.ports[0]).close()
    assert half.send(b"cd").reply().text == "abcd"
    assert releaser.ask("GET", "/release").headers["connection"].lower() == "close"
    assert [client.reply().text for client in held] == ["held", "held"]
    server.end()


def test_a_slow_client_does_not_hold_up_the_end(start):
    server = start(request_seconds=1)
    slow = server.client().send(HEAD + b"Content-Length: 4\r\n\r\nab")
    server.terminate()
    server.end()
    assert slow.closed_within(PATIENCE)
