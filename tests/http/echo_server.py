"""echo_server.py - runs tests/http/echo_server, and talks to it over raw sockets."""
import os
import pathlib
import re
import signal
import subprocess
import time

from http_client import PATIENCE, Client

BUILD = pathlib.Path(os.environ.get("EVDB_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROGRAM = BUILD / "tests/http/echo_server"


class Server:
    def __init__(self, **options):
        arguments = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1])
        self.ports = [int(port) for port in line.split()]
        self.clients = []

    def client(self, slot=0, options=()):
        self.clients.append(Client(self.ports[slot], options))
        return self.clients[-1]

    def ask(self, method, target, body=b"", headers=(), slot=0):
        """Over a connection of its own."""
        client = Client(self.ports[slot])
        try:
            return client.ask(method, target, body, headers)
        finally:
            client.close()

    def wait_held(self, count):
        """Until that many requests are with workers in /hold. Needs a free worker."""
        client = self.client()
        until = time.monotonic() + PATIENCE
        while client.ask("GET", "/held").text != str(count):
            assert time.monotonic() < until, "the requests do not reach their workers"

    def descriptors(self):
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Waits for the end; how many requests the handler has answered."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, f"exit status {self.process.returncode}: {err}"
        assert not err, err
        return int(re.fullmatch(r"answered (\d+)\n", out)[1])

    def stop(self):
        for client in self.clients:
            client.close()
        if self.process.returncode is None:
            self.terminate()
            return self.end()
        return None
