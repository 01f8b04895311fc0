"""listeners.py - streams of notifications from real servers: what has come, and what comes next, over either transport."""
import http.client
import json
import socket
import threading
import time

from mcp_peers import MODERN, PATIENCE, PREFIX, headers_of, modern

SUBSCRIPTION = PREFIX + "subscriptionId"


def listen(id, **notifications):
    return modern({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": {"notifications": notifications}})


class Inbox:
    """Messages that a thread puts in and a test takes out."""

    def __init__(self):
        self.changed, self.messages, self.ended = threading.Condition(), [], False

    def put(self, message):
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def finish(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def until(self, wanted):
        """The first message that is wanted, and all that came before it."""
        with self.changed:
            def at():
                return next((i for i, m in enumerate(self.messages) if wanted(m)), None)

            assert self.changed.wait_for(lambda: at() is not None or self.ended, PATIENCE), self.messages
            i = at()
            assert i is not None, ("the stream ended", self.messages)
            before, found = self.messages[:i], self.messages[i]
            del self.messages[:i + 1]
            return found, before

    def next(self):
        message, before = self.until(lambda m: True)
        assert not before
        return message

    def updated(self, uri):
        """Waits until that URI is told of; what came before, too, as pairs of method and URI."""
        found, before = self.until(lambda m: m.get("method") == "notifications/resources/updated" and m["params"]["uri"] == uri)
        return found, [(m.get("method"), m.get("params", {}).get("uri")) for m in before]

    def list_changed(self, kind="resources"):
        return self.until(lambda m: m.get("method") == f"notifications/{kind}/list_changed")[0]

    def end(self):
        """Waits for the end; what was still to be read."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, PATIENCE), self.messages
            return list(self.messages)


class HttpListener(Inbox):
    """A response of evdbd that may be a stream of events."""

    def __init__(self, daemon, method="POST", message=None, **headers):
        super().__init__()
        self.comments = 0
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.ports["mcp"], timeout=PATIENCE)
        sent = {"Accept": "application/json, text/event-stream" if message else "text/event-stream"}
        if message:
            sent["Content-Type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.connection.connect()
        self.socket = self.connection.sock
        self.connection.request(method, "/mcp", json.dumps(message) if message else None, {k: v for k, v in sent.items() if v is not None})
        self.response = self.connection.getresponse()
        self.status, self.headers = self.response.status, self.response.headers
        if self.status == 200 and self.headers["Content-Type"] == "text/event-stream":
            self.thread = threading.Thread(target=self._read, daemon=True)
            self.thread.start()
        else:
            self.body = self.response.read()
            self.connection.close()

    def _read(self):
        try:
            for line in self.response:
                if line.startswith(b"data: "):
                    self.put(json.loads(line[6:]))
                elif line.startswith(b":"):
                    self.comments += 1
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        self.finish()

    def leave(self):
        """Closes the connection as a client that goes away."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self.end()
        self.connection.close()


class StdioListener(Inbox):
    """The only stream there is: all that `evdb mcp` writes."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.server.process.stdout:
            self.put(json.loads(line))
        self.finish()

    def send(self, message):
        self.server.send(json.dumps(message).encode())

    def reply(self, message):
        self.send(message)
        return self.until(lambda m: m.get("id") == message["id"])[0]


def http_listen(client, message, **headers):
    return HttpListener(client.daemon, "POST", message, Authorization=f"Bearer {client.token}", **{**headers_of(message), **headers})


def wait_until(true):
    """Asks until it holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


__all__ = ["MODERN", "SUBSCRIPTION", "HttpListener", "StdioListener", "http_listen", "listen", "wait_until"]
