"""slowhttp.py - slowhttptest's slow headers, slow bodies, range attack and slow reading against evdbd with its defaults, while healthy
clients search: one over a kept connection, one over a new connection for each request. None of their requests may fail, and
99 of 100 must be answered within five times as long as before the attack.

  python3 tests/daemon/slowhttp.py [SECONDS]      15 for each attack; `make slowhttp` installs what it needs"""
import json
import re
import subprocess
import sys
import tempfile
import threading
import time

from evdbd import Client, Server

ATTACKS = {"slow headers": ["-H"], "slow bodies": ["-B"], "ranges": ["-R"],
           "slow reading": ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"]}
SLOWER = 5  # times, at most
CONNECTIONS, RATE = 1500, 400  # of the attacker, in all and a second: more than evdbd takes
STORE = "/api/v1/stores/things"


class Healthy(threading.Thread):
    """Searches until it is told to stop; keeps how long each took and what failed."""

    def __init__(self, server, keep):
        super().__init__()
        self.port, self.keep, self.stopping = server.ports["rest"], keep, threading.Event()
        self.headers = [f"Authorization: Bearer {server.token()}", "Content-Type: application/json"]
        self.took, self.failed = [], []
        self.start()

    def run(self):
        client = None
        while not self.stopping.is_set():
            began, lost = time.monotonic(), False
            try:
                client = client or Client(self.port)
                reply = client.ask("POST", f"{STORE}/search", b'{"vector": [1, 2, 3], "k": 1}', self.headers)
                assert reply.status == 200 and json.loads(reply.body)["results"][0]["id"] == 1, reply.text
                self.took.append(time.monotonic() - began)
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))
                lost = True
            if not self.keep or lost:
                client.close()
                client = None

    def end(self):
        self.stopping.set()
        self.join()
        took = sorted(self.took) or [0]
        print(f"  {'kept connection' if self.keep else 'new connections'}: {len(self.took)} searches, "
              f"{len(self.failed)} failed, median {took[len(took) // 2] * 1e3:.1f} ms, p99 {took[len(took) * 99 // 100] * 1e3:.1f} ms, "
              f"longest {took[-1] * 1e3:.0f} ms")
        for error in self.failed[:3]:
            print(f"    {error[:200]}")
        return None if self.failed or not self.took else took[len(took) * 99 // 100]


def attack(server, flags, seconds):
    """What slowhttptest says last of its connections."""
    url = f"http://127.0.0.1:{server.ports['rest']}/api/v1/stores"
    numbers = {"-c": CONNECTIONS, "-r": RATE, "-i": 1, "-l": seconds, "-p": 2}
    command = ["slowhttptest", *flags, *(str(word) for pair in numbers.items() for word in pair), "-u", url]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    counts = {name: int(count) for name, count in re.findall(r"^(\w[\w ]*?): +(\d+)$", plain, re.M)}
    available = re.findall(r"service available: +(\w+)", plain)
    return {name: counts.get(name) for name in ("connected", "closed", "error", "pending")}, available


def stand(name, flags, seconds):
    with tempfile.TemporaryDirectory() as directory:
        server = Server(f"{directory}/data")
        assert server.request("POST", "/api/v1/stores", {"name": "things", "metric": "euclidean"}).status == 201
        assert server.request("POST", f"{STORE}/vectors", {"id": 1, "vector": [1, 2, 3]}).status == 201
        print(f"{name}\n before")
        clients = [Healthy(server, keep) for keep in (True, False)]
        clients[0].join(seconds / 3)
        before = [client.end() for client in clients]
        clients = [Healthy(server, keep) for keep in (True, False)]
        counts, available = attack(server, flags, seconds)
        print(f" meanwhile: {counts} of {CONNECTIONS} at its end; its probes were served {available.count('YES')} of "
              f"{len(available)} times")
        during = [client.end() for client in clients]
        server.stop()
        if None in before + during:
            return False
        ratios = [slow / quick for slow, quick in zip(during, before)]
        print(f" p99 {ratios[0]:.1f}x as long over the kept connection, {ratios[1]:.1f}x over new ones (ceiling {SLOWER})")
        return max(ratios) < SLOWER


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    passed = sum(stand(name, flags, seconds) for name, flags in ATTACKS.items())
    print(f"{passed} passed, {len(ATTACKS) - passed} failed")
    return passed < len(ATTACKS)


if __name__ == "__main__":
    sys.exit(main())
