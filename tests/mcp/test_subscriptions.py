"""test_subscriptions.py - who subscribes is told of what anybody changes, over either transport and in each version, and of nothing else."""
import json
import subprocess

import pytest
from listeners import SUBSCRIPTION, HttpListener, StdioListener, http_listen, listen, wait_until
from mcp_peers import BUILD, MODERN, Daemon, Http, headers_of, modern

LEGACY = ["2025-11-25", "2025-06-18"]
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def initialize(version, id=0):
    return {"jsonrpc": "2.0", "id": id, "method": "initialize",
            "params": {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}


def subscribe(uri, id=1, verb="subscribe"):
    return {"jsonrpc": "2.0", "id": id, "method": f"resources/{verb}", "params": {"uri": uri}}


def evdb(server, *words):
    """Another process that writes to the server's database."""
    subprocess.run([BUILD / "evdb", words[0], "-d", server, *words[1:]], check=True, stdout=subprocess.DEVNULL, timeout=120)


@pytest.fixture(params=["stdio", "http"])
def listening(request, name, tmp_path):
    """Opens modern subscriptions: opened(**notifications) is a stream. Its .data is the database, .name a store of it with record 1."""
    if request.param == "stdio":
        server = request.getfixturevalue("stdio")("--scope", "admin")
        data, inbox = tmp_path / "data", StdioListener(server)
    else:
        daemon = request.getfixturevalue("daemon")
        client, data, inbox = Http(daemon, version=MODERN), daemon.server.directory, None
    opened = []

    def start(id="the-subscription", **notifications):
        if inbox:
            inbox.send(listen(id, **notifications))
            return inbox
        opened.append(http_listen(client, listen(id, **notifications)))
        return opened[-1]

    evdb(data, "create", name, "--dim", "2", "--metric", "euclidean")
    evdb(data, "put", name, "1", "--vector", "[1,2]")
    start.data, start.name, start.transport = data, name, request.param
    start.uri, start.record = f"evdb://stores/{name}", f"evdb://stores/{name}/records/1"
    yield start
    for stream in opened:
        stream.leave()
    if inbox:
        server.process.stdin.close()
        inbox.end()
        assert server.process.wait(120) == 0


# Modern

def test_what_is_honoured_is_acknowledged_first(listening):
    stream = listening(toolsListChanged=True, promptsListChanged=True, resourcesListChanged=True,
                       resourceSubscriptions=[listening.uri, "test://nothing", listening.uri, "evdb://stores", "evdb://stores/no-such-store"])
    message = stream.next()
    assert message == {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                       "params": {"_meta": {SUBSCRIPTION: "the-subscription"},
                                  "notifications": {"resourcesListChanged": True,
                                                    "resourceSubscriptions": [listening.uri, "evdb://stores/no-such-store"]}}}


def test_a_subscription_of_nothing_is_one(listening):
    assert listening().next()["params"]["notifications"] == {}
    assert listening(id=7, resourcesListChanged=False, resourceSubscriptions=[]).next()["params"] == {"_meta": {SUBSCRIPTION: 7}, "notifications": {}}


def test_what_another_process_writes_is_told(listening):
    stream = listening(resourceSubscriptions=[listening.uri, listening.record])
    stream.next()
    evdb(listening.data, "put", listening.name, "2", "--vector", "[3,4]")
    message, before = stream.updated(listening.uri)
    assert message == {"jsonrpc": "2.0", "method": "notifications/resources/updated",
                       "params": {"_meta": {SUBSCRIPTION: "the-subscription"}, "uri": listening.uri}} and before == []
    evdb(listening.data, "put", listening.name, "1", "--vector", "[5,6]")
    assert listening.record not in [uri for _, uri in before]
    stream.updated(listening.record)
    evdb(listening.data, "rm", listening.name, "1")
    stream.updated(listening.record)


def test_only_what_was_asked_for_is_told(listening):
    stream = listening(resourceSubscriptions=[listening.record])
    stream.next()
    evdb(listening.data, "put", listening.name, "2", "--vector", "[3,4]")
    evdb(listening.data, "create", listening.name + "-other", "--dim", "2")
    evdb(listening.data, "put", listening.name, "1", "--vector", "[5,6]")
    assert stream.updated(listening.record)[1] == []


def test_settings_of_a_store_are_part_of_it(listening):
    stream = listening(resourceSubscriptions=[listening.uri, listening.record])
    stream.next()
    evdb(listening.data, "ttl", listening.name, "--ttl", "3600")
    assert stream.updated(listening.uri)[1] == []
    evdb(listening.data, "put", listening.name, "1", "--vector", "[5,6]")
    assert listening.record not in [uri for _, uri in stream.updated(listening.record)[1]]


def test_stores_that_come_and_go_change_the_list(listening):
    stream, other = listening(resourcesListChanged=True), listening.name + "-x"
    stream.next()
    evdb(listening.data, "create", other, "--dim", "2")
    assert stream.list_changed()["params"] == {"_meta": {SUBSCRIPTION: "the-subscription"}}
    evdb(listening.data, "rename", other, other + "y")
    stream.list_changed()
    evdb(listening.data, "rm-store", other + "y")
    stream.list_changed()


def test_a_store_that_goes_or_comes_has_changed_with_its_records(listening):
    later = f"evdb://stores/{listening.name}-later"
    stream = listening(resourceSubscriptions=[listening.uri, listening.record, later])
    stream.next()
    evdb(listening.data, "rm-store", listening.name)
    assert {stream.next()["params"]["uri"] for _ in range(2)} == {listening.uri, listening.record}
    evdb(listening.data, "create", listening.name + "-later", "--dim", "2")
    assert stream.updated(later)[1] == []


def test_ids_that_need_escapes_are_found(listening):
    store, uri = listening.name + "-texts", f"evdb://stores/{listening.name}-texts/records/a%2Fb%20%C3%A4"
    evdb(listening.data, "create", store, "--dim", "2")
    stream = listening(resourceSubscriptions=[uri, f"evdb://stores/{store}/records/5"])
    stream.next()
    evdb(listening.data, "put", store, "a/b ä", "--vector", "[1,2]")
    assert stream.updated(uri)[1] == []
    evdb(listening.data, "put", store, "5", "--vector", "[1,2]")
    stream.updated(f"evdb://stores/{store}/records/5")


def test_more_changes_than_are_read_at_once_lose_none(listening, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": 10 + i % 12000, "vector": [i, 0]}) + "\n" for i in range(12000)))
    stream = listening(resourceSubscriptions=[f"evdb://stores/{listening.name}/records/12009"])
    stream.next()
    evdb(listening.data, "import", listening.name, rows)
    stream.updated(f"evdb://stores/{listening.name}/records/12009")


def test_several_subscriptions_are_told_apart(listening):
    one, two = listening(id=1, resourceSubscriptions=[listening.uri]), None
    one.next()
    two = listening(id="1", resourceSubscriptions=[listening.uri])
    two.next()
    evdb(listening.data, "put", listening.name, "2", "--vector", "[3,4]")
    seen = [one.updated(listening.uri)[0], two.updated(listening.uri)[0]]
    assert sorted((m["params"]["_meta"][SUBSCRIPTION] for m in seen), key=repr) == sorted([1, "1"], key=repr)


@pytest.mark.parametrize("notifications, names", [
    (None, "notifications"), ([], "notifications"), ({"toolsListChanged": 1}, "toolsListChanged"), ({"resourcesListChanged": None}, "resourcesListChanged"),
    ({"resourceSubscriptions": "evdb://stores/x"}, "resourceSubscriptions"), ({"resourceSubscriptions": [1]}, "resourceSubscriptions"),
    ({"resourceSubscriptions": None}, "resourceSubscriptions"),
], ids=repr)
def test_a_malformed_subscription_is_refused(daemon, stdio, notifications, names):
    message = listen(3)
    message["params"]["notifications"] = notifications
    code, text, id = stdio().error(message)
    assert code == -32602 and names in text and id == 3
    reply = http_listen(Http(daemon), message)
    assert reply.status == 200 and json.loads(reply.body)["error"]["code"] == -32602


def test_too_many_uris_are_refused(stdio):
    code, text, _ = stdio().error(listen(3, resourceSubscriptions=[f"evdb://stores/s{i}" for i in range(101)]))
    assert "100 URIs" in text and code == -31013


def test_the_uris_of_all_subscriptions_of_a_client_are_bounded(stdio):
    server = stdio()
    inbox = StdioListener(server)
    for i in range(20):
        inbox.send(listen(i, resourceSubscriptions=[f"evdb://stores/s{i}-{k}" for k in range(100)]))
        assert len(inbox.next()["params"]["notifications"]["resourceSubscriptions"]) == 100
    refused = inbox.reply(listen(20, resourceSubscriptions=["evdb://stores/x"]))
    assert refused["error"]["code"] == -31013 and "2000 URIs" in refused["error"]["message"]
    server.process.stdin.close()
    assert len(inbox.end()) == 20 and server.process.wait(120) == 0


def test_subscriptions_on_one_pipe_have_ids_of_their_own(stdio):
    inbox = StdioListener(stdio())
    inbox.send(listen(1))
    inbox.next()
    refused = inbox.reply(listen(1))["error"]
    assert refused["code"] == -32602 and "id" in refused["message"]
    inbox.send(listen("1"))  # which is another
    assert inbox.next()["params"]["_meta"][SUBSCRIPTION] == "1"
    inbox.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    inbox.send(listen(1))
    assert inbox.next()["params"]["_meta"][SUBSCRIPTION] == 1
    inbox.server.process.stdin.close()
    assert sorted(str(m["id"]) for m in inbox.end()) == ["1", "1"] and inbox.server.process.wait(120) == 0


def test_a_cancelled_subscription_is_told_nothing_more(stdio, tmp_path):
    server = stdio("--scope", "admin")
    evdb(tmp_path / "data", "create", "s", "--dim", "2")
    inbox = StdioListener(server)
    for id in ("gone", "kept"):
        inbox.send(listen(id, resourceSubscriptions=["evdb://stores/s"]))
        inbox.next()
    inbox.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "gone"}})
    inbox.reply({"jsonrpc": "2.0", "id": 5, "method": "ping"})
    evdb(tmp_path / "data", "put", "s", "1", "--vector", "[3,4]")
    assert inbox.updated("evdb://stores/s")[0]["params"]["_meta"][SUBSCRIPTION] == "kept"
    server.process.stdin.close()
    assert [(m["id"], m["result"]["resultType"]) for m in inbox.end()] == [("kept", "complete")]
    assert server.process.wait(120) == 0


def test_the_end_of_input_is_the_end_of_subscriptions(stdio):
    server = stdio()
    inbox = StdioListener(server)
    inbox.send(listen(4, resourcesListChanged=True))
    inbox.next()
    server.process.stdin.close()
    (message,) = inbox.end()
    assert message["id"] == 4 and message["result"]["resultType"] == "complete" and message["result"]["_meta"][SUBSCRIPTION] == 4
    assert server.process.wait(120) == 0


# Modern over HTTP

def test_a_stream_is_one_of_events_that_nobody_holds_back(daemon):
    stream = http_listen(Http(daemon), listen(1))
    assert stream.status == 200 and stream.headers["X-Accel-Buffering"] == "no" and stream.headers["Cache-Control"] == "no-store"
    stream.next()
    stream.leave()


def test_a_client_that_takes_no_events_cannot_listen(daemon):
    reply = http_listen(Http(daemon), listen(1), Accept="application/json")
    assert "text/event-stream" in json.loads(reply.body)["error"]["message"]


def test_a_client_may_have_so_many_and_one_that_leaves_is_forgotten(tmp_path):
    daemon = Daemon(tmp_path)
    try:
        client = Http(daemon)
        streams = [http_listen(client, listen(i)) for i in range(128)]
        for stream in streams:
            stream.next()
        refused = http_listen(client, listen(200))
        assert refused.status == 200 and "128 subscriptions" in json.loads(refused.body)["error"]["message"]
        streams[0].leave()

        def again():
            stream = http_listen(client, listen(200))
            return stream.headers["Content-Type"] == "text/event-stream"

        wait_until(again)
        for stream in streams[1:]:
            stream.leave()
    finally:
        daemon.stop()


def test_a_session_may_take_its_stream_again_when_its_client_can_have_no_more(tmp_path):
    daemon = Daemon(tmp_path)
    try:
        client = Http(daemon)
        last = Session(client, LEGACY[0])
        streams = [http_listen(client, listen(i)) for i in range(127)]
        first = last.get()
        refused = Session(client, LEGACY[0]).get()
        assert refused.status == 413 and b"128 subscriptions" in refused.body
        again = last.get()
        assert again.status == 200 and first.end() == []
        for stream in [*streams, again]:
            stream.leave()
    finally:
        daemon.stop()


def test_the_server_serves_while_many_listen(tmp_path):
    daemon = Daemon(tmp_path, "--dev", "--worker-threads", "4")
    try:
        client = Http(daemon)
        for i in range(10):
            client.call("create_store", name=f"s{i}", dim=2)
        streams = [http_listen(client, listen(i, resourceSubscriptions=[f"evdb://stores/s{i % 10}"])) for i in range(100)]
        for stream in streams:
            stream.next()
        for i in range(10):
            client.call("insert_vector", store=f"s{i}", id=1, vector=[1, 2])
        for i, stream in enumerate(streams):
            assert stream.updated(f"evdb://stores/s{i % 10}")[0]["params"]["_meta"][SUBSCRIPTION] == i
        daemon.server.signal()
        for i, stream in enumerate(streams):
            last = stream.end()[-1]
            assert last["id"] == i and last["result"]["resultType"] == "complete" and last["result"]["_meta"][SUBSCRIPTION] == i
        assert daemon.server.end() == 0
    finally:
        daemon.stop()


@pytest.fixture
def admin(daemon):
    return Http(daemon)


def scoped(admin, daemon, client, scope):
    """A token of a client that is made for it."""
    made = daemon.server.request("POST", "/api/v1/clients", {"client_id": client, "scopes": scope.split()})
    assert made.status == 201, made.text
    reply = daemon.server.grant(client, json.loads(made.body)["client_secret"])
    assert reply.status == 200, reply.text
    other = Http.__new__(Http)
    super(Http, other).__init__(MODERN)
    other.daemon, other.token = daemon, json.loads(reply.body)["access_token"]
    return other


def test_who_may_not_read_a_store_cannot_listen_to_it(daemon, admin, name):
    admin.call("create_store", name=name, dim=2)
    other = scoped(admin, daemon, f"client-{name}", "read:mine-*")
    reply = http_listen(other, listen(1, resourceSubscriptions=[f"evdb://stores/{name}"]))
    assert reply.status == 403 and 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"]
    assert json.loads(reply.body)["error"]["code"] == -31003


def test_the_list_is_of_the_stores_that_one_may_see(daemon, admin, name):
    other = scoped(admin, daemon, f"client-{name}", f"read:mine-{name}-*")
    stream = http_listen(other, listen(1, resourcesListChanged=True))
    stream.next()
    whole = http_listen(admin, listen(2, resourcesListChanged=True))
    whole.next()
    admin.call("create_store", name=name, dim=2)
    whole.list_changed()
    assert stream.messages == []
    admin.call("create_store", name=f"mine-{name}-1", dim=2)
    stream.list_changed()
    stream.leave()
    whole.leave()


def test_a_revoked_token_ends_its_subscriptions(daemon, admin, name):
    admin.call("create_store", name=name, dim=2)
    other = scoped(admin, daemon, f"client-{name}", "read")
    stream = http_listen(other, listen(1, resourceSubscriptions=[f"evdb://stores/{name}"]))
    stream.next()
    assert daemon.server.request("DELETE", f"/api/v1/clients/client-{name}").status == 200
    admin.call("insert_vector", store=name, id=1, vector=[1, 2])
    assert [m.get("id") for m in stream.end()] == [1]


def test_a_token_that_is_revoked_ends_them_though_nothing_happens(daemon, admin, name):
    other = scoped(admin, daemon, f"client-{name}", "read")
    stream = http_listen(other, listen(1))
    stream.next()
    assert daemon.server.request("DELETE", f"/api/v1/clients/client-{name}").status == 200
    assert [m.get("id") for m in stream.end()] == [1]


# Legacy

@pytest.mark.parametrize("version", LEGACY)
def test_legacy_clients_are_told_on_standard_output(stdio, tmp_path, version):
    server = stdio("--scope", "admin")
    evdb(tmp_path / "data", "create", "s", "--dim", "2")
    inbox = StdioListener(server)
    assert inbox.reply(initialize(version))["result"]["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
    assert inbox.reply(subscribe("evdb://stores/s"))["result"] == {}
    evdb(tmp_path / "data", "put", "s", "1", "--vector", "[3,4]")
    assert inbox.updated("evdb://stores/s")[0] == {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "evdb://stores/s"}}
    inbox.send(INITIALIZED)
    inbox.reply({"jsonrpc": "2.0", "id": 5, "method": "ping"})
    evdb(tmp_path / "data", "create", "t", "--dim", "2")
    inbox.list_changed()
    assert inbox.reply(subscribe("evdb://stores/s", 6, "unsubscribe"))["result"] == {}
    assert inbox.reply(subscribe("evdb://stores/t", 7))["result"] == {}
    evdb(tmp_path / "data", "put", "s", "2", "--vector", "[3,4]")
    evdb(tmp_path / "data", "put", "t", "2", "--vector", "[3,4]")
    assert inbox.updated("evdb://stores/t")[1] == []


def test_a_resource_that_there_cannot_be_is_no_topic(stdio):
    server = stdio()
    code, text, _ = server.error(subscribe("evdb://nothing"))
    assert code == -32002 and "evdb://nothing" in text
    code, text, _ = server.error({"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": {"uri": 5}})
    assert code == -32602 and "params.uri" in text


class Session:
    """A legacy client of evdbd with a session."""

    def __init__(self, client, version):
        self.client = client
        reply = client.ask(initialize(version))
        assert reply.status == 200 and reply.json["result"]["protocolVersion"] == version
        self.headers = {"Mcp_Session_Id": reply.headers["Mcp-Session-Id"], "MCP_Protocol_Version": version}
        assert client.ask(INITIALIZED, **self.headers).status == 202

    def ask(self, message):
        return self.client.ask(message, **self.headers)

    def get(self, method="GET", **headers):
        return HttpListener(self.client.daemon, method, **{"Authorization": f"Bearer {self.client.token}", **self.headers, **headers})


@pytest.fixture(params=LEGACY)
def session(request, admin):
    return Session(admin, request.param)


def test_a_session_is_told_on_its_stream(session, admin, name):
    admin.call("create_store", name=name, dim=2)
    assert session.ask(subscribe(f"evdb://stores/{name}/records/1")).json["result"] == {}
    stream = session.get()
    assert stream.status == 200 and stream.headers["Content-Type"] == "text/event-stream"
    admin.call("insert_vector", store=name, id=1, vector=[1, 2])
    assert stream.updated(f"evdb://stores/{name}/records/1")[0]["params"] == {"uri": f"evdb://stores/{name}/records/1"}
    admin.call("create_store", name=name + "-x", dim=2)
    stream.list_changed()
    assert session.ask(subscribe(f"evdb://stores/{name}", 2)).json["result"] == {}
    admin.call("insert_vector", store=name, id=2, vector=[1, 2])
    stream.updated(f"evdb://stores/{name}")
    assert session.get("DELETE").status == 204
    assert stream.end() == []
    assert session.get().status == 404 and session.get("DELETE").status == 404


def test_what_happened_between_subscription_and_stream_is_told(session, admin, name):
    admin.call("create_store", name=name, dim=2)
    session.ask(subscribe(f"evdb://stores/{name}"))
    admin.call("insert_vector", store=name, id=1, vector=[1, 2])
    stream = session.get()
    stream.updated(f"evdb://stores/{name}")
    stream.leave()


def test_another_stream_takes_the_place_of_the_first(session, admin, name):
    admin.call("create_store", name=name, dim=2)
    first = session.get()
    second = session.get()
    assert first.end() == []
    session.ask(subscribe(f"evdb://stores/{name}"))
    admin.call("insert_vector", store=name, id=1, vector=[1, 2])
    second.updated(f"evdb://stores/{name}")
    second.leave()


def test_only_subscriptions_need_a_session(session, admin):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert admin.ask(ping).json["result"] == {} and session.ask(ping).json["result"] == {}
    assert admin.ask(ping, Mcp_Session_Id="of-a-server-before").json["result"] == {}
    reply = admin.ask(subscribe("evdb://stores/x"))
    assert reply.status == 400 and "Mcp-Session-Id" in reply.json["error"]["message"]
    reply = admin.ask(subscribe("evdb://stores/x"), Mcp_Session_Id="of-a-server-before")
    assert reply.status == 404 and reply.json["id"] == 1


def test_a_session_that_has_ended_is_told_of_to_all_who_go_on_with_it(session, admin):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert session.get("DELETE").status == 204
    for message in (ping, subscribe("evdb://stores/x"), {**ping, "method": "tools/list"}):
        reply = session.ask(message)
        assert reply.status == 404 and reply.json["id"] == 1 and "ended" in reply.json["error"]["message"]
    assert session.ask({"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 404
    message = modern(ping | {"method": "tools/list"})
    assert admin.ask(message, **headers_of(message), Mcp_Session_Id=session.headers["Mcp_Session_Id"]).status == 200  # that has no sessions
    again = admin.ask(initialize(session.headers["MCP_Protocol_Version"]))
    assert again.status == 200 and again.headers["Mcp-Session-Id"] != session.headers["Mcp_Session_Id"]
    assert admin.ask(ping, Mcp_Session_Id=again.headers["Mcp-Session-Id"]).status == 200


def test_what_get_and_delete_refuse(daemon, session, admin, name):
    other = Session(scoped(admin, daemon, f"client-{name}", "read"), LEGACY[0])
    token = {"Authorization": f"Bearer {admin.token}"}
    for method in ("GET", "DELETE"):
        assert session.get(method, Mcp_Session_Id=None).status == 405
        assert session.get(method, Mcp_Session_Id="x" * 43).status == 404
        assert session.get(method, MCP_Protocol_Version=MODERN).status == 405
        assert session.get(method, MCP_Protocol_Version="1900-01-01").status == 400
        assert session.get(method, Origin="http://evil.example").status == 403
        assert session.get(method, Host="evil.example").status == 403
        assert session.get(method, Authorization=None).status == 401
        assert session.get(method, Authorization="Bearer nonsense").status == 401
        assert other.get(method, Mcp_Session_Id=session.headers["Mcp_Session_Id"]).status == 404
    assert session.get(Accept="application/json").status == 406
    assert daemon.ask(method="GET", **token).status == 405
    assert session.get("DELETE").status == 204


def test_a_session_is_of_whom_it_was_made_for(daemon, session, admin, name):
    other = scoped(admin, daemon, f"client-{name}", "read")
    admin.call("create_store", name=name, dim=2)
    uri = f"evdb://stores/{name}"
    assert session.ask(subscribe(uri)).status == 200
    stream = session.get()
    for method in "resources/subscribe", "resources/unsubscribe":
        assert other.ask({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"uri": uri}}, **session.headers).status == 404
    assert other.ask({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}, **session.headers).status == 202
    assert other.ask({"jsonrpc": "2.0", "id": 1, "method": "ping"}, **session.headers).status == 200  # that needs none
    admin.call("insert_vector", store=name, id=1, vector=[1, 2])
    stream.updated(uri)
    stream.leave()


def test_streams_end_with_their_token_and_a_session_goes_on_with_another(tmp_path):
    daemon = Daemon(tmp_path, "--dev", "--token_lifetime=4000")
    try:
        client = Http(daemon)
        session = Session(client, LEGACY[0])
        client.call("create_store", name="s", dim=2)
        assert session.ask(subscribe("evdb://stores/s")).status == 200
        streams = [session.get(), http_listen(client, listen("x"))]
        streams[1].next()
        assert streams[0].end() == [] and [m["id"] for m in streams[1].end()] == ["x"]
        assert client.ask({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 401
        client.token = daemon.token("read write")
        stream = session.get()
        client.call("insert_vector", store="s", id=1, vector=[1, 2])
        stream.updated("evdb://stores/s")
        stream.leave()
    finally:
        daemon.stop()


def test_no_session_for_what_is_no_beginning(admin):
    assert admin.ask({"jsonrpc": "2.0", "id": 1, "method": "ping"}).headers["Mcp-Session-Id"] is None
    assert admin.ask({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}).headers["Mcp-Session-Id"] is None
    message = listen(1)
    assert admin.ask(message, MCP_Protocol_Version=MODERN).headers["Mcp-Session-Id"] is None


def test_sessions_end_with_the_server(tmp_path):
    daemon = Daemon(tmp_path)
    stream = Session(Http(daemon), LEGACY[0]).get()
    daemon.server.signal()
    assert stream.end() == [] and daemon.server.end() == 0
    daemon.stop()
