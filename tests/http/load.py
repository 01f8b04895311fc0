"""load.py - clients that ask in closed loops until the server ends, and keep count of what was answered."""
import threading

from http_client import PATIENCE, Client


class Load:
    """Each client is a thread with a connection: a kept one, or a new one for each request. ask(client, number) sends one
    request and returns the reply, or raises AssertionError. Failures are kept in `lost`; a connection refused is none."""

    def __init__(self, port, clients, keep, ask):
        self.port, self.keep, self.ask, self.answered, self.lost = port, keep, ask, 0, []
        self.lock, self.started = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        while True:
            try:
                client = Client(self.port)
            except ConnectionError:
                return  # not accepted
            try:
                while True:
                    reply = self.ask(client, number)
                    with self.lock:
                        self.answered += 1
                        if self.answered > 500:
                            self.started.set()
                    if not self.keep or reply.headers.get("connection", "").lower() == "close":
                        break
            except (ConnectionError, AssertionError) as error:
                with self.lock:
                    self.lost.append(repr(error))
                return
            finally:
                client.close()

    def await_start(self):
        """Until hundreds of requests have been answered, or a client has failed."""
        while not self.started.wait(0.1) and not self.lost:
            assert any(thread.is_alive() for thread in self.threads)

    def await_end(self):
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
