"""test_canary.py - secrets that can be told from anything else are put wherever a secret, or something taken for one, may come in; then they
are looked for wherever they must not be: log, replies, files, backups, what the system shows of the process, core files."""
import base64
import json
import os
import pathlib
import re
import resource
import signal
import subprocess

import pytest
import s3_fake
from evdbd import BUILD, FORM, basic

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FORM_HEADER = f"Content-Type: {FORM}"
JSON = "Content-Type: application/json"


class Cage:
    """Canaries by name, and where one may be seen: in the reply that hands it out."""

    def __init__(self, chance):
        self.chance, self.birds, self.sightings = chance, {}, []

    def new(self, name, length=40):
        return self.add(name, "".join(self.chance.choice(LETTERS) for _ in range(length)))

    def add(self, name, text):
        assert len(text) >= 16, (name, text)
        self.birds[name] = text
        return text

    def forms(self, text):
        """As it may stand somewhere: as it is, in base64, in hexadecimal digits, backwards from those."""
        raw = text.encode()
        yield from (raw, base64.b64encode(raw).rstrip(b"=")[:-1], raw.hex().encode())
        if len(text) == 64 and not set(text) - set("0123456789abcdef"):
            yield bytes.fromhex(text)

    def look(self, where, data, but=()):
        data = data.encode() if isinstance(data, str) else data
        for name, text in self.birds.items():
            if name not in but and any(form in data for form in self.forms(text)):
                self.sightings.append(f"{name} in {where}")


class Watched:
    """Requests whose replies are looked at."""

    def __init__(self, server, cage):
        self.server, self.cage, self.count = server, cage, 0

    def ask(self, endpoint, method, path, body=b"", headers=(), shows=()):
        reply = self.server.ask(method, path, body, headers, endpoint)
        self.count += 1
        self.cage.look(f"the reply to {method} {path[:40]}", json.dumps(reply.headers).encode() + reply.body, shows)
        return reply

    def json(self, method, path, body=None, token=None, shows=(), headers=None):
        lines = headers if headers is not None else [f"Authorization: Bearer {token}"]
        return self.ask("rest", method, path, json.dumps(body).encode() if body is not None else b"", [*lines, JSON] if body is not None else lines, shows)

    def form(self, body, headers=(), shows=(), path="/oauth/token", method="POST"):
        return self.ask("oauth", method, path, body.encode() if isinstance(body, str) else body, [FORM_HEADER, *headers], shows)


def files(directory):
    return [path for path in pathlib.Path(directory).rglob("*") if path.is_file() and not path.is_symlink()]


@pytest.fixture
def cage(rng):
    return Cage(rng)


@pytest.fixture
def watched(start, cage, tmp_path, monkeypatch):
    """A server that was given a secret in each way there is, and tells all it can tell in its log."""
    bucket = s3_fake.Fake()
    (tmp_path / "s3-secret").write_text(cage.new("S3 secret") + "\n")
    (tmp_path / "s3-session").write_text(cage.new("S3 session token") + "\n")
    (tmp_path / "backup-key").write_text(cage.add("backup key", "".join(cage.chance.choice("0123456789abcdef") for _ in range(64))))
    for name in ("s3-secret", "s3-session", "backup-key"):
        (tmp_path / name).chmod(0o600)
    (tmp_path / "evdbd.conf").write_text(f'default_client_secret = "{cage.new("secret in the file")}"\n')
    server = start("--config", tmp_path / "evdbd.conf", "--log-level=debug", "--allowed-hosts=test", f"--backup-key-file={tmp_path / 'backup-key'}",
                   f"--s3-endpoint=http://127.0.0.1:{bucket.port}", "--s3-bucket=bucket", "--s3-access-key=AK", f"--s3-secret-key-file={tmp_path / 's3-secret'}",
                   f"--s3-session-token-file={tmp_path / 's3-session'}", f"--cluster-cookie={cage.new('secret in a flag')}",
                   env={"EVDB_DEFAULT_CLIENT_SECRET": cage.new("secret in the environment")})
    server.secret = cage.birds["secret in the environment"]
    yield Watched(server, cage)
    bucket.stop()


def tokens(watched, name, client, secret):
    """A log-in, whose tokens become canaries."""
    reply = watched.server.form({"grant_type": "client_credentials", "client_id": client, "client_secret": secret})
    assert reply.status == 200, reply.text
    body = json.loads(reply.body)
    for kind in ("access_token", "refresh_token"):
        if kind in body:
            watched.cage.add(f"{kind} of {name}", body[kind])
    return body


def drive_tokens(watched, admin):
    """The token endpoint, with secrets in the right and in all wrong places."""
    cage, secret = watched.cage, watched.server.secret
    bad = cage.new("wrong client secret")
    good = "grant_type=client_credentials&client_id=admin&client_secret="
    for body in (good + bad, good + secret + "&scope=nothing", good + secret + "&client_secret=" + bad, good + secret + "&scope=read&scope=write",
                 f"grant_type=password&username=me&password={cage.new('password')}&client_id=admin&client_secret={secret}",
                 f"grant_type={cage.new('secret for a grant')}&client_id=admin&client_secret={secret}",
                 f"grant_type=refresh_token&client_id=admin&client_secret={secret}&refresh_token={cage.new('wrong refresh token', 43)}",
                 f"grant_type=client_credentials&client_id={cage.new('secret for a client')}&client_secret={bad}",
                 f"{cage.new('secret for a name')}={bad}", "%" + bad, bad, good + bad * 40):
        assert watched.form(body).status in (400, 401)
        watched.ask("oauth", "POST", "/oauth/token", body.encode(), [JSON])
        watched.ask("oauth", "GET", f"/oauth/token?{body}")
        watched.ask("oauth", "POST", f"/oauth/token?{body}", b"", [FORM_HEADER])
    for header in (basic("admin", bad), basic(bad, secret), f"Authorization: Basic {bad}", f"Authorization: {bad}", f"Authorization: Digest {bad}"):
        watched.form("grant_type=client_credentials", [header])
    watched.form(f"grant_type=client_credentials&client_secret={bad}", [basic("admin", secret)])
    used = tokens(watched, "a used log-in", "admin", secret)
    for _ in range(2):  # the second time it ends the family
        reply = watched.form(f"grant_type=refresh_token&client_id=admin&client_secret={secret}&refresh_token={used['refresh_token']}")
        if reply.status == 200:
            for kind in ("access_token", "refresh_token"):
                cage.add(f"{kind} of a refresh", json.loads(reply.body)[kind])


def drive_credentials(watched, admin):
    """Every way to show a token, with good and bad ones, at paths that there are and are not."""
    cage, bad = watched.cage, watched.cage.new("wrong token")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for text in (admin, bad, "evdb1." + bad, "evdbkey_0123456789abcdef_" + bad + "AAAAAAAAA", "e30.e30." + bad):
        for header in (f"Authorization: Bearer {text}", f"Authorization: Basic {text}", f"X-API-Key: {text}", f"api-key: {text}", f"Cookie: token={text}"):
            for method, path in (("GET", "/api/v1/stores"), ("GET", "/api/v1/nothing"), ("PUT", "/api/v1/stores"), ("POST", "/api/v1/stores/x/search")):
                watched.ask("rest", method, path, b"", [header])
            watched.ask("mcp", "POST", "/mcp", json.dumps(ping).encode(), [header, JSON])
        watched.ask("rest", "GET", f"/api/v1/stores?access_token={text}&x=1")
        watched.ask("rest", "GET", f"/api/v1/stores?{text[:60]}=1", b"", [f"Authorization: Bearer {admin}"], ["wrong token"])  # an unknown name is told
        watched.ask("mcp", "POST", "/mcp", json.dumps({**ping, "auth": {"type": "bearer", "token": text}}).encode(), [JSON])
        watched.ask("mcp", "POST", "/mcp", json.dumps({**ping, "auth": {"type": "bearer", "token": text}}).encode()[:-5], [JSON])
        watched.ask("mcp", "POST", "/mcp", json.dumps({**ping, "auth": text}).encode(), [JSON])
        watched.json("POST", "/api/v1/tokens/revoke", {"token": text if text != admin else bad}, admin)


def drive_clients(watched, admin):
    """Operations that take and make secrets."""
    cage = watched.cage
    chosen, other = cage.new("chosen secret"), cage.new("another chosen secret")
    assert watched.json("POST", "/api/v1/clients", {"client_id": "chooser", "client_secret": chosen, "grant_types": ["client_credentials", "refresh_token"]}, admin).status == 201
    tokens(watched, "the chooser", "chooser", chosen)
    watched.json("POST", "/api/v1/clients", {"client_id": "chooser", "client_secret": chosen}, admin)
    watched.json("POST", "/api/v1/clients", {"client_id": "x y", "client_secret": chosen}, admin)
    watched.json("POST", "/api/v1/clients", {"client_id": "x", "client_secret": chosen * 9}, admin)
    watched.json("POST", "/api/v1/clients", {"client_id": "x", "client_secret": [chosen]}, admin)
    watched.json("POST", "/api/v1/clients/chooser/rotate", {"client_secret": other}, admin)
    watched.json("POST", "/api/v1/clients/nobody/rotate", {"client_secret": other}, admin)
    made = json.loads(watched.server.request("POST", "/api/v1/clients", {"client_id": "made"}, admin).body)
    tokens(watched, "the made one", "made", cage.add("made secret", made["client_secret"]))
    watched.json("GET", "/api/v1/clients", token=admin)
    key = json.loads(watched.server.request("POST", "/api/v1/api-keys", {"scopes": ["write"], "title": "canary"}, admin).body)
    cage.add("API key", key["api_key"][25:])
    for header in (f"X-API-Key: {key['api_key']}", f"Authorization: Bearer {key['api_key']}"):
        assert watched.json("GET", "/api/v1/stores", headers=[header]).status == 200
        assert watched.json("GET", "/api/v1/clients", headers=[header]).status == 403
    watched.json("GET", "/api/v1/api-keys", token=admin)
    assert watched.json("DELETE", f"/api/v1/api-keys/{key['api_key']}", token=admin).status == 400  # the key for its id
    watched.json("GET", "/api/v1/signing-keys", token=admin)
    watched.json("POST", "/api/v1/signing-keys/rotate", token=admin)


def drive_stores(watched, admin):
    """Work, and backups with a key and in a bucket; a key file of the machine cannot be named from afar."""
    assert watched.json("POST", "/api/v1/stores", {"name": "docs", "dim": 3}, admin).status == 201
    for i in range(50):
        watched.json("PUT", f"/api/v1/stores/docs/vectors/{i}", {"vector": [i, 1, 2], "metadata": {"n": i}}, admin)
    for body in ({"backup": "one"}, {"backup": "two", "target": "s3"}, {"backup": "one"}):
        watched.json("POST", "/api/v1/stores/docs/backups", body, admin)
    watched.json("GET", "/api/v1/backups", token=admin)
    watched.json("GET", "/api/v1/backups?target=s3", token=admin)
    watched.json("POST", "/api/v1/backups/one/verify", {}, admin)
    watched.json("POST", "/api/v1/verify", {}, admin)


def look_at_process(watched):
    """What the system shows of it; True when there was something to see."""
    seen = 0
    for name in ("cmdline", "environ", "maps", "comm", "status", "limits", "mountinfo", "stat", "io", "wchan", "auxv", "smaps"):
        try:
            watched.cage.look(f"/proc/PID/{name}", pathlib.Path(f"/proc/{watched.server.process.pid}/{name}").read_bytes())
            seen += 1
        except PermissionError:
            pass  # nobody but root sees it
    return seen


def test_a_secret_is_nowhere_but_where_it_was_sent(watched, tmp_path):
    cage, server = watched.cage, watched.server
    admin = tokens(watched, "the admin", "admin", server.secret)["access_token"]
    for drive in (drive_tokens, drive_credentials, drive_clients, drive_stores):
        drive(watched, admin)
    assert watched.count > 200 and len(server.log) > watched.count / 2 and len(cage.birds) > 25
    assert look_at_process(watched) >= 3
    plain = subprocess.run([BUILD / "evdb", "backup", "docs", "plain", "-d", server.directory], capture_output=True)
    assert plain.returncode == 0, plain.stderr
    server.stop()
    cage.look("the log", json.dumps(server.log))
    found = files(server.directory)
    assert [path for path in found if "backup" in path.name] and server.directory / "system.db" in found
    for path in found:
        cage.look(str(path.relative_to(server.directory)), path.read_bytes())
    print(f"{len(cage.birds)} secrets, {watched.count} replies, {len(server.log)} lines of log, {len(found)} files")
    assert not cage.sightings, "\n".join(cage.sightings[:40])


def test_what_is_looked_for_would_be_found(cage):
    """The cage sees a canary in each form, and nothing where there is none."""
    text = cage.new("bird")
    for data in (text, f"Bearer {text}", base64.b64encode(text.encode()), text.encode().hex(), base64.b64encode(text.encode() + b"xyz")):
        before = len(cage.sightings)
        cage.look("here", data)
        assert len(cage.sightings) == before + 1, data
    cage.look("there", text[1:])
    assert len(cage.sightings) == 5


def test_secrets_of_a_wrong_configuration_are_not_told(tmp_path, cage):
    program = BUILD / "evdbd"
    secret = cage.new("secret")
    (tmp_path / "bad.conf").write_text(f'default_client_secret = {secret}\n')
    (tmp_path / "other.conf").write_text(f'default_client_secret = "{secret}" x\n')
    for words, env in ((["--default-client-secre=" + secret], {}), (["--default-client-secret=" + secret * 9], {}), (["--config", tmp_path / "bad.conf"], {}),
                       (["--config", tmp_path / "other.conf"], {}), (["--print-config", "--default-client-secret", secret], {}),
                       (["--print-config"], {"EVDB_DEFAULT_CLIENT_SECRET": secret}), (["--check-config"], {"EVDB_DEFAULT_CLIENT_SECRET": secret * 9})):
        done = subprocess.run([program, *words], env={**os.environ, **env}, capture_output=True)
        assert done.stdout or done.stderr
        cage.look(f"what {words[0]} says", done.stdout + done.stderr)
    assert not cage.sightings, cage.sightings


@pytest.fixture
def cores():
    """Core files are as large as the system lets them be."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def dumped(pid):
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT, os.WCOREDUMP(status)


def test_a_server_that_is_aborted_leaves_no_core_file(start, cores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = start()
    sleeper = subprocess.Popen(["sleep", "60"])
    sleeper.send_signal(signal.SIGABRT)
    other = dumped(sleeper.pid)
    sleeper.returncode = -signal.SIGABRT
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    server.signal(signal.SIGABRT)
    assert dumped(server.process.pid) == (True, False)
    server.process.returncode = -signal.SIGABRT
    print("another process leaves a core file here:", other[1])
    assert len(list(tmp_path.glob("core*"))) <= 1 and other[0]  # the other's
