"""evdbd.py - real evdbd processes: started on ports that the system chooses, asked over real sockets, stopped or killed."""
import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EVDB_BUILD", ROOT / "build"))
PROGRAM = BUILD / "evdbd"
sys.path.insert(0, str(ROOT / "tests/http"))

from http_client import PATIENCE, Client  # noqa: E402

DEV_CLIENT, DEV_SECRET = "admin", "admin_secret_2024"
CONFIG_FAILED, DATABASE_FAILED, LISTEN_FAILED = 2, 3, 4  # exit statuses
FORM = "application/x-www-form-urlencoded"


class Server:
    """One evdbd. flags are added to --port 0, which gives each endpoint a port of its own. Whoever sends wrong secrets to it need
    not wait, unless a flag says so.

    ports["mcp" | "oauth" | "rest"] are known once it is ready; `log` is every line so far, parsed. A server that ends
    instead of becoming ready raises NotReady. tls: an ssl.SSLContext to ask it with."""

    def __init__(self, directory, *flags, env=(), ports=("--port", "0"), tls=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EVDB_")}
        self.directory, self.log, self.clients, self.secret, self.tls = pathlib.Path(directory), [], [], None, tls
        self.changed = threading.Condition()
        self.process = subprocess.Popen([PROGRAM, "--data", directory, *ports, *map(str, flags)], text=True,
                                        env={**clean, "EVDB_THROTTLE_FAILURES": "0", **dict(env)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        ready = self.wait_for("ready")
        self.ports = {name: ready.get(f"{name}_port") for name in ("mcp", "oauth", "rest")}

    def _read_log(self):
        for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"message": line.rstrip("\n"), "level": None}
            with self.changed:
                self.log.append(entry)
                self.changed.notify_all()
        with self.changed:
            self.log.append({"message": "end of the log", "level": None})
            self.changed.notify_all()

    def wait_for(self, message):
        """The first log entry with that message, now or later."""
        def found():
            return next((entry for entry in self.log if entry["message"] in (message, "end of the log")), None)

        with self.changed:
            entry = self.changed.wait_for(found, PATIENCE)
        if entry is None or entry["message"] != message:
            raise NotReady(self)
        return entry

    # ---- asking

    def client(self, endpoint="rest"):
        """A connection that is kept, and closed with the server."""
        self.clients.append(Client(self.ports[endpoint], tls=self.tls))
        return self.clients[-1]

    def ask(self, method, path, body=b"", headers=(), endpoint="rest"):
        """Over a connection of its own, with exactly these headers."""
        client = Client(self.ports[endpoint], tls=self.tls)
        try:
            return client.ask(method, path, body, headers)
        finally:
            client.close()

    def request(self, method, path, json_body=None, token=None, endpoint="rest", client=None):
        """A JSON request with a bearer token (default: one of all scopes), over `client` or a connection of its own."""
        headers = [f"Authorization: Bearer {token or self.token()}"]
        body = b""
        if json_body is not None:
            headers.append("Content-Type: application/json")
            body = json.dumps(json_body).encode()
        return client.ask(method, path, body, headers) if client else self.ask(method, path, body, headers, endpoint)

    def form(self, fields, headers=(f"Content-Type: {FORM}",), client=None):
        """POST /oauth/token; fields are a dict, a list of pairs, or the body itself."""
        body = fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields).encode()
        if client:
            return client.ask("POST", "/oauth/token", body, headers)
        return self.ask("POST", "/oauth/token", body, headers, "oauth")

    def admin(self):
        """Id and secret of the first client: the published one, or what admin.secret says."""
        if self.secret is None:
            file = self.directory / "admin.secret"
            self.secret = file.read_text().strip() if file.exists() else DEV_SECRET
        return DEV_CLIENT, self.secret

    def grant(self, client=None, secret=None, **fields):
        """The reply to client_credentials, by default of the first client."""
        if client is None:
            client, secret = self.admin()
        return self.form({"grant_type": "client_credentials", "client_id": client, "client_secret": secret, **fields})

    def token(self, client=None, secret=None, scope=None):
        """An access token. Those of the first client are kept and given again."""
        kept = self.__dict__.setdefault("tokens", {})
        key = (client, scope)
        if client is not None or key not in kept:
            reply = self.grant(client, secret, **({"scope": scope} if scope else {}))
            assert reply.status == 200, reply.text
            kept[key] = json.loads(reply.body)["access_token"]
        return kept[key]

    # ---- the end

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def end(self):
        """Waits until it has ended by itself; its exit status. Negative: the signal that ended it."""
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status

    def stop(self):
        """Ends it, and must see it end well. Harmless when it has ended already."""
        for client in self.clients:
            client.close()
        if self.process.returncode is None:
            self.signal()
            assert self.end() == 0, self.log[-5:]
        self.process.stdout.close()
        self.process.stderr.close()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.end()


class NotReady(Exception):
    """The server ended, or said nothing for long, instead of becoming ready."""

    def __init__(self, server):
        if server.process.poll() is None:
            server.process.kill()
        self.status, self.log = server.end(), server.log[:-1]
        self.output = server.process.stdout.read()
        server.process.stdout.close()
        server.process.stderr.close()
        super().__init__(f"exit status {self.status}: {self.log}")

    @property
    def detail(self):
        return self.log[-1].get("detail") or self.log[-1]["message"]


def library(directory, function, *arguments):
    """Calls evdb_...(db, arguments) on the database, in a process of its own, as any program beside the server may."""
    program = """if True:
        import ctypes, sys
        path, directory, function, arguments = sys.argv[1], *eval(sys.argv[2])
        lib, db = ctypes.CDLL(path), ctypes.c_void_p()
        assert lib.evdb_open(directory, None, ctypes.byref(db), None) == 0
        assert getattr(lib, function)(db, *arguments) == 0
        lib.evdb_close(db)"""
    words = [word.encode() if isinstance(word, str) else word for word in arguments]
    path = BUILD / "libevdb.so"
    env = {name: value for name, value in os.environ.items() if not name.startswith("EVDB_")}
    if b"__asan_init" in path.read_bytes():  # its runtime has to be loaded first, and Python itself leaks
        runtime = subprocess.check_output(["cc", "-print-file-name=libasan.so"], text=True).strip()
        env.update(LD_PRELOAD=runtime, ASAN_OPTIONS="detect_leaks=0")
    call = repr((str(directory).encode(), function, words))
    subprocess.run([sys.executable, "-c", program, path, call], env=env, check=True, timeout=PATIENCE)


def basic(client, secret):
    """The header of client_secret_basic."""
    pair = f"{urllib.parse.quote_plus(client)}:{urllib.parse.quote_plus(secret)}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


def problem(reply, status):
    """The RFC 9457 body of a reply that must be that problem."""
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body = json.loads(reply.body)
    assert body["status"] == status and body["title"] and body["detail"]
    return body
