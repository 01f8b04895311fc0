"""test_kill.py - kill -9 of the daemon at random moments while 8 clients write.

After every kill all that was acknowledged is there, and what was under way is there whole or not at all.
  EVDB_KILLS=n  kills (50)
  EVDB_SEED=n   repeats a run's choices; what the kernel does in between it cannot repeat"""
import json
import os
import random
import subprocess
import threading

from evdbd import BUILD, PATIENCE, Client

KILLS = int(os.environ.get("EVDB_KILLS") or 50)
WRITERS, IDS, DIM = 8, 40, 3
STORE = "/api/v1/stores/things"


class Writer:
    """Writes records of its own, one after the other, and remembers what was acknowledged of each: its vector, None for
    deleted; and of the one under way, what it may have become."""

    def __init__(self, number, seed):
        self.number, self.rng = number, random.Random(seed)
        self.known, self.under_way = {}, None
        self.acknowledged, self.unexpected = 0, None

    def vector(self):
        return [self.number + 1, *(self.rng.randrange(1000) for _ in range(DIM - 1))]

    def step(self, client, headers):
        record = self.number * IDS + self.rng.randrange(IDS)
        before, after = self.known.get(record), self.vector()
        if before is None:
            method, path, sent, expected = "POST", f"{STORE}/vectors", {"id": record, "vector": after}, 201
        elif self.rng.random() < 0.3:
            method, path, sent, expected, after = "DELETE", f"{STORE}/vectors/{record}", None, 200, None
        else:
            method, path, sent, expected = "PUT", f"{STORE}/vectors/{record}", {"vector": after}, 200
        self.under_way = (record, after)
        reply = client.ask(method, path, json.dumps(sent).encode() if sent else b"", headers)
        assert reply.status == expected, (method, path, reply.status, reply.text)
        self.known[record], self.under_way = after, None
        self.acknowledged += 1

    def run(self, port, headers, progress):
        try:
            client = Client(port)
            while True:
                self.step(client, headers)
                progress.release()
        except ConnectionError:
            pass  # killed
        except AssertionError as error:
            self.unexpected = error
            progress.release()


def records(server):
    """Every record, by id."""
    ids = list(range(WRITERS * IDS))
    reply = server.request("POST", f"{STORE}/vectors/get", {"ids": ids})
    assert reply.status == 200, reply.text
    return {found["id"]: found["vector"] for found in json.loads(reply.body)["records"]}


def differences(writer, found):
    """What is not as it was acknowledged; settles what was under way."""
    wrong = []
    for record in range(writer.number * IDS, (writer.number + 1) * IDS):
        allowed = [writer.known.get(record)]
        if writer.under_way and writer.under_way[0] == record:
            allowed.append(writer.under_way[1])
        if found.get(record) not in allowed:
            wrong.append((record, found.get(record), allowed))
        writer.known[record] = found.get(record)
    writer.under_way = None
    return wrong


def write_and_kill(server, writers, rng):
    """8 writers until a moment that they cannot foresee."""
    headers = [f"Authorization: Bearer {server.token()}", "Content-Type: application/json"]
    progress = threading.Semaphore(0)
    threads = [threading.Thread(target=writer.run, args=(server.ports["rest"], headers, progress)) for writer in writers]
    for thread in threads:
        thread.start()
    for _ in range(rng.randrange(4 * WRITERS)):
        assert progress.acquire(timeout=PATIENCE)
    server.kill()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_what_was_acknowledged_survives_the_kill_of_the_daemon(start, rng):
    server = start()
    assert server.request("POST", "/api/v1/stores", {"name": "things", "metric": "euclidean"}).status == 201
    writers = [Writer(number, rng.random()) for number in range(WRITERS)]
    for _ in range(KILLS):
        write_and_kill(server, writers, rng)
        assert [writer.unexpected for writer in writers if writer.unexpected] == []
        token = server.token()
        server = start()
        server.tokens = {(None, None): token}  # it outlives the process
        found = records(server)
        assert [wrong for writer in writers for wrong in differences(writer, found)] == []
    server.stop()
    verified = subprocess.run([BUILD / "evdb", "verify", "--json", "-d", server.directory], capture_output=True, check=True)
    assert json.loads(verified.stdout)["problems"] == 0
    print(f"{KILLS} kills, {sum(writer.acknowledged for writer in writers)} writes acknowledged, 0 lost")
