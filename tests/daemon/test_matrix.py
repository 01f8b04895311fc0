"""test_matrix.py - every operation of the table x every credential x every protocol: who is refused, how, and that nothing has changed.

What is expected does not come from the code: ROWS says of each operation what it needs, and rules below follow from the manual
alone. An operation without a row fails."""
import base64
import contextlib
import hashlib
import json
import subprocess
import sys
import time

import pytest
from evdbd import PATIENCE, PROGRAM, ROOT, Server
from forged import Forger, Key

sys.path.insert(0, str(ROOT / "tests/mcp"))

from mcp_peers import Stdio  # noqa: E402

TABLE = {o["name"]: o for o in json.loads(subprocess.run([PROGRAM, "--print-operations"], check=True, capture_output=True).stdout)}

# operation, the scope it needs, and how far scopes of some stores go: "named" - they are enough when they cover all stores that the call
# names; "lists" - any are, for it tells of those stores alone; "all" - they are not.
ROWS = """
create_store          write  named
list_stores           read   lists
describe_store        read   named
set_ttl               write  named
set_trash             admin  all
set_authors           admin  all
rename_store          write  named
drop_store            write  named
insert_vector         write  named
upsert_vector         write  named
update_vector         write  named
update_metadata       write  named
write_batch           write  named
load_vectors          write  named
get_record            read   named
get_records           read   named
scroll_records        read   named
delete_record         write  named
delete_records        write  named
list_trash            read   named
undelete_records      write  named
empty_trash           admin  all
forget_records        admin  all
search_vectors        read   named
search_batch          read   named
count_records         read   named
store_stats           read   named
sync_store            write  named
create_index          write  named
list_indexes          read   lists
estimate_index        read   all
drop_index            write  named
build_index           write  named
rebuild_index         write  named
index_status          read   named
pause_index           write  named
resume_index          write  named
cancel_index          write  named
compress_vector       read   all
decompress_vector     read   all
list_codecs           read   all
insert_compressed     write  named
set_compression       write  named
compression_status    read   named
benchmark_compression read   all
advise_compression    read   named
verify                admin  all
repair_store          admin  all
list_changes          read   named
export_store          read   named
import_store          write  named
backup_store          admin  all
list_backups          admin  all
restore_store         admin  all
verify_backup         admin  all
delete_backup         admin  all
prune_backups         admin  all
register_client       admin  all
list_clients          admin  all
remove_client         admin  all
rotate_client         admin  all
register_user         admin  all
list_users            admin  all
change_password       admin  all
remove_user           admin  all
set_quota             admin  all
get_quota             admin  all
audit_list            admin  all
audit_verify          admin  all
create_api_key        admin  all
list_api_keys         admin  all
remove_api_key        admin  all
list_signing_keys     admin  all
rotate_keys           admin  all
revoke_token          admin  all
"""
ROWS = {name: (scope, reach) for name, scope, reach in map(str.split, ROWS.strip().splitlines())}
LEVELS = ("read", "write", "admin")  # each includes those before it
TOOLS = [name for name in ROWS if name in TABLE and TABLE[name]["tool"]]

STORE, OTHER, NEW = "docs", "other", "docs-2"
VALUES = {"store": STORE, "name": STORE, "new_name": NEW, "id": 1, "ids": [1], "vector": [1, 2, 3], "vectors": [[1, 2, 3]],
          "records": [{"id": 7, "vector": [1, 2, 3]}], "codec": "f16", "algorithm": "f16", "backup": "monday", "client_id": "victim",
          "key_id": None, "user": "alice", "password": "a password of hers", "token": "no token at all", "dim": 3, "count": 10, "authors": True, "metadata": {"a": 1}, "format": "jsonl", "compressed": "AAAA", "data": "", "k": 1}


def level(scope):
    return LEVELS.index(scope)


def covers(stores, scope, store):
    """Do scopes of some stores, as ["write:docs"], allow what needs `scope` with that store?"""
    for held in stores:
        kind, _, pattern = held.partition(":")
        fits = store.startswith(pattern[:-1]) if pattern.endswith("*") else store == pattern
        if fits and level(kind) >= level(scope):
            return True
    return False


class Credential:
    """headers: those that carry it; says: the scopes that it has, or None where it is to be refused whatever is asked."""

    def __init__(self, name, headers, says=None, text=None):
        self.name, self.headers, self.text = name, headers, text
        self.valid, self.given = says is not None, bool(headers)
        self.all = max((level(s) for s in says or () if ":" not in s), default=-1)
        self.stores = [s for s in says or () if ":" in s]

    def may(self, operation):
        scope, reach = ROWS[operation]
        named = [STORE, NEW] if operation == "rename_store" else [STORE]
        return self.all >= level(scope) or (reach == "lists" and bool(self.stores)) or (
            reach == "named" and all(covers(self.stores, scope, store) for store in named))

    def needs(self, operation):
        """The scopes that a refusal may name: of stores, to whoever has no others."""
        scope, reach = ROWS[operation]
        if self.all >= 0 or not self.stores or reach != "named":
            return (scope,)
        return (f"{scope}:{STORE}",) + ((f"{scope}:{STORE} {scope}:{NEW}",) if operation == "rename_store" else ())


def bearer(name, text, says=None):
    return Credential(name, [f"Authorization: Bearer {text}"], says, text)


SCOPES = [["read"], ["write"], ["admin"], [f"read:{STORE}"], [f"write:{STORE}"], [f"write:{STORE}*"], [f"read:{OTHER}"], [f"write:{OTHER}"],
          ["write:*"], ["read", f"write:{OTHER}"]]


class World:
    """A server, what refused calls could harm, and a credential of every kind."""

    def __init__(self, directory):
        self.server = Server(directory, *self.flags())
        self.connections = {}
        self.admin = self.server.token()
        self.keys = []
        self.ensure()

    @staticmethod
    def flags():
        known = subprocess.run([PROGRAM, "--help"], check=True, capture_output=True, text=True).stdout
        open_door = ["--throttle-failures=0"] if "throttle" in known else []  # every bad one comes from one address
        return ["--allowed-hosts=test", "--issuer=https://evdb.example", *open_door]

    def ask(self, endpoint, *request):
        """Over one connection for each endpoint."""
        if endpoint not in self.connections:
            self.connections[endpoint] = self.server.client(endpoint)
        return self.connections[endpoint].ask(*request)

    def rest(self, method, path, body=None, headers=None):
        lines = [f"Authorization: Bearer {self.admin}"] if headers is None else list(headers)
        if body is not None:
            lines.append("Content-Type: application/json")
        return self.ask("rest", method, path, json.dumps(body).encode() if body is not None else b"", lines)

    def good(self, method, path, body=None):
        reply = self.rest(method, path, body)
        assert reply.status < 300, (method, path, reply.text)
        return json.loads(reply.body)

    def ensure(self):
        """Whatever a call is about is there."""
        names = [one["name"] for one in self.good("GET", "/api/v1/stores")["stores"]]
        if NEW in names:
            self.good("DELETE", f"/api/v1/stores/{NEW}")
        for name in (STORE, OTHER):
            if name not in names:
                self.good("POST", "/api/v1/stores", {"name": name, "dim": 3})
        self.good("PUT", f"/api/v1/stores/{STORE}/vectors/1", {"vector": [1, 2, 3]})
        if not any(one["backup"] == "monday" for one in self.good("GET", "/api/v1/backups")["backups"]):
            self.good("POST", f"/api/v1/stores/{STORE}/backups", {"backup": "monday"})
        clients = [one["client_id"] for one in self.good("GET", "/api/v1/clients")["clients"]]
        if "victim" not in clients:
            self.good("POST", "/api/v1/clients", {"client_id": "victim"})
        if not self.good("GET", "/api/v1/users")["users"]:
            self.good("POST", "/api/v1/users", {"user": VALUES["user"], "password": VALUES["password"]})
        if VALUES["key_id"] not in [one["key_id"] for one in self.good("GET", "/api/v1/api-keys")["api_keys"]]:
            VALUES["key_id"] = self.good("POST", "/api/v1/api-keys", {"title": "victim"})["key_id"]

    def state(self):
        """What there is, so that a change shows."""
        paths = ["stores", "clients", "users", "clients/victim/quota", "api-keys", "signing-keys", "backups"]
        stores = [one["name"] for one in self.good("GET", "/api/v1/stores")["stores"]]
        paths += [f"stores/{name}{what}" for name in stores for what in ("", "/changes", "/vectors", "/compression")]
        return {path: self.rest("GET", f"/api/v1/{path}").body for path in paths} | {
            "index": [(one["store"], one["state"] in ("off", "paused", "none")) for one in self.good("GET", "/api/v1/indexes")["indexes"]]}

    # ---- credentials

    def client(self, scopes):
        """A client of its own with these scopes, and its secret."""
        name = "client-" + "-".join(scopes).replace(":", ".").replace("*", "any")
        made = self.good("POST", "/api/v1/clients", {"client_id": name, "scopes": scopes, "grant_types": ["client_credentials", "refresh_token"]})
        return name, made["client_secret"]

    def issue(self, name, secret):
        reply = self.server.grant(name, secret)
        assert reply.status == 200, reply.text
        return json.loads(reply.body)

    def api_key(self, scopes, **more):
        return self.good("POST", "/api/v1/api-keys", {"scopes": scopes, **more})

    def refused_ones(self):
        now = int(time.time())
        holder = self.issue(*self.client(["admin", "write:x"]))
        good, stranger = holder["access_token"], Key(hashlib.sha256(b"a key that is not the server's").digest())
        forger = Forger(self.server.directory, good)
        assert self.rest("GET", "/api/v1/clients", headers=[f"Authorization: Bearer {forger.token()}"]).status == 200  # only what is changed is wrong
        yield Credential("no token", [])
        for i, text in enumerate(("x", "", "a.b.c", "evdb1.AAAA", "evdbkey_", good[:-9], good.replace(".", ".."), good + "A", "." * 300)):
            yield bearer(f"malformed {i}", text)
        yield Credential("no bearer", [f"Authorization: Basic {base64.b64encode(b'admin:secret').decode()}"])
        yield bearer("refresh token", holder["refresh_token"])
        yield bearer("client secret", self.server.admin()[1])
        yield bearer("expired", forger.token(iat=now - 7200, exp=now - 1))
        yield bearer("without expiry", forger.token(exp=None))
        yield bearer("not yet valid", forger.token(nbf=now + 3000))
        yield bearer("wrong audience", forger.token(aud="https://elsewhere.example"))
        yield bearer("wrong audiences", forger.token(aud=["https://elsewhere.example", "https://other.example"]))
        yield bearer("wrong issuer", forger.token(iss="https://elsewhere.example"))
        yield bearer("unknown client", forger.token(client_id="nobody", sub="nobody"))
        yield bearer("no access token", forger.token(header={"typ": "JWT"}))
        yield bearer("critical header", forger.token(header={"crit": ["b64"], "b64": False}))
        for name in ("none", "None", "NONE", ""):
            yield bearer(f"alg {name!r}", forger.unsigned(name))
        yield bearer("alg none, signed", forger.token(header={"alg": "none"}))
        for name, secret in (("public key", forger.key.public), ("its text", part_text(forger.key.public)), ("nothing", b"")):
            yield bearer(f"alg confusion: {name}", forger.confused(secret))
        yield bearer("another key under our kid", forger.token(stranger.sign))
        yield bearer("unknown kid", forger.token(stranger.sign, {"kid": "0" * 43}))
        yield bearer("own key in the header", forger.token(stranger.sign, {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": part_text(stranger.public).decode()}}))
        yield bearer("changed claims", ".".join([good.split(".")[0], forger.token(scope="admin", sub="root").split(".")[1], good.split(".")[2]]))
        revoked = self.issue(*self.client(["admin", "read:x"]))["access_token"]
        self.good("POST", "/api/v1/tokens/revoke", {"token": revoked})
        yield bearer("revoked", revoked)
        name, secret = self.client(["admin", "read:y"])
        orphan = self.issue(name, secret)["access_token"]
        self.good("DELETE", f"/api/v1/clients/{name}")
        yield bearer("of a removed client", orphan)
        name, secret = self.client(["admin", "read:z"])
        old = self.issue(name, secret)["access_token"]
        self.good("POST", f"/api/v1/clients/{name}/rotate")
        yield bearer("of a rotated client", old)
        key = self.api_key(["admin"])
        self.good("DELETE", f"/api/v1/api-keys/{key['key_id']}")
        yield bearer("removed API key", key["api_key"])
        yield Credential("removed API key in its header", [f"X-API-Key: {key['api_key']}"])
        yield bearer("expired API key", self.expired_key())
        yield Credential("malformed API key in its header", ["X-API-Key: secret"])
        yield Credential("malformed API key in the other header", [f"api-key: {self.api_key(['admin'])['api_key'][:-1]}"])

    def expired_key(self):
        key = self.api_key(["admin"], ttl_ms=1)["api_key"]
        until = time.monotonic() + PATIENCE
        while self.rest("GET", "/api/v1/stores", headers=[f"X-API-Key: {key}"]).status == 200:
            assert time.monotonic() < until, "the key does not expire"
        return key

    def good_ones(self):
        for scopes in SCOPES:
            yield bearer(f"JWT {scopes}", self.issue(*self.client(scopes))["access_token"], scopes)
            yield bearer(f"API key {scopes}", self.api_key(scopes)["api_key"], scopes)
        key = self.api_key(["write"])["api_key"]
        yield Credential("API key in X-API-Key", [f"X-API-Key: {key}"], ["write"])
        yield Credential("API key in api-key", [f"API-KEY: {key}"], ["write"])
        yield Credential("API key twice", [f"X-API-Key: {key}", f"Authorization: Bearer {key}"], ["write"])
        less = self.client(["admin", "read:w"])
        reply = self.server.grant(*less, scope="read")
        yield bearer("JWT of fewer scopes than its client has", json.loads(reply.body)["access_token"], ["read"])


def part_text(public):
    return base64.urlsafe_b64encode(public).rstrip(b"=")


# ---- one cell

def arguments(schema):
    return {name: VALUES[name] for name in schema["required"]}


def rest_call(name):
    """Method, target, body and its media type: a call that would do something."""
    o = TABLE[name]
    args = arguments(o["input"])
    target = o["path"]
    for parameter in ("name", "id", "backup", "client_id", "key_id", "user"):
        if "{%s}" % parameter in target:
            target = target.replace("{%s}" % parameter, str(VALUES[parameter]))
            args.pop("store" if parameter == "name" else parameter, None)
    if o["stream"] == "in" or o["method"] == "GET":
        query = "&".join(f"{key}={value}" for key, value in args.items())
        return o["method"], target + ("?" + query if query else ""), b"\n" if o["stream"] == "in" else b"", "application/octet-stream"
    return o["method"], target, json.dumps(args).encode() if args else b"", "application/json"


def mcp_call(name, tools):
    args = {key: VALUES[key] for key in tools[name]["inputSchema"]["required"]} if name in tools else {}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": args}}


def challenge(reply, credential, name):
    """What is wrong with how somebody is refused; None = nothing."""
    header = reply.headers.get("www-authenticate", "")
    if not header.startswith("Bearer "):
        return f"WWW-Authenticate: {header!r}"
    if reply.status == 401:
        wanted = 'error="invalid_token"' in header if credential.given else "error" not in header
    else:
        wanted = 'error="insufficient_scope"' in header and any(f'scope="{scopes}"' in header for scopes in credential.needs(name))
    return None if wanted else f"{reply.status} with WWW-Authenticate: {header!r}"


def judge(reply, credential, name, may):
    """Is this the answer that the cell wants? None, or what is wrong."""
    if not credential.valid:
        return challenge(reply, credential, name) if reply.status == 401 else f"{reply.status} instead of 401"
    if not may:
        return challenge(reply, credential, name) if reply.status == 403 else f"{reply.status} instead of 403"
    return f"{reply.status} {reply.text[:200]}" if reply.status in (401, 403) or reply.status >= 500 and reply.status not in (501, 507) else None


def over_rest(world, credential, name, tools):
    method, target, body, media = rest_call(name)
    lines = [*credential.headers, *([f"Content-Type: {media}"] if body else [])]
    return judge(world.ask("rest", method, target, body, lines), credential, name, credential.may(name))


def over_mcp(world, credential, name, tools, in_message=False):
    message = mcp_call(name, tools)
    lines = ["Content-Type: application/json", "Accept: application/json"]
    if in_message:
        message["auth"] = {"type": "bearer", "token": credential.text}
    reply = world.ask("mcp", "POST", "/mcp", json.dumps(message).encode(), lines if in_message else lines + credential.headers)
    may = credential.may(name) or name not in TOOLS  # what is no tool is not there, for anybody
    wrong = judge(reply, credential, name, may)
    if wrong is None and credential.valid and name not in TOOLS and "there is no tool" not in reply.text:
        return f"it is a tool: {reply.text[:100]}"
    if wrong is None and reply.status in (401, 403) and "error" not in json.loads(reply.body):
        return f"no JSON-RPC error: {reply.text[:100]}"
    return wrong


def over_mcp_message(world, credential, name, tools):
    return over_mcp(world, credential, name, tools, True)


def over_mcp_resource(world, credential, name, tools):
    """What the operation answers, read by its URI."""
    uri = TABLE[name]["resource"].replace("{name}", STORE).replace("{id}", str(VALUES["id"]))
    message = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}
    lines = ["Content-Type: application/json", "Accept: application/json", *credential.headers]
    reply = world.ask("mcp", "POST", "/mcp", json.dumps(message).encode(), lines)
    wrong = judge(reply, credential, name, credential.may(name))
    if wrong is None and reply.status == 200 and "contents" not in json.loads(reply.body).get("result", {}):
        return f"nothing was read: {reply.text[:100]}"
    return wrong


PROTOCOLS = {"REST": over_rest, "MCP": over_mcp, "MCP, token in the message": over_mcp_message, "MCP, resource": over_mcp_resource}


class Tally:
    def __init__(self):
        self.cells, self.wrong = 0, []

    def count(self, cell, wrong):
        self.cells += 1
        if wrong:
            self.wrong.append(f"{cell}: {wrong}")

    def report(self, what):
        print(f"{what}: {self.cells} cells, {self.cells - len(self.wrong)} as expected")
        assert self.cells and not self.wrong, "\n".join(self.wrong[:40])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("matrix") / "data")
    yield world
    world.server.stop()


# ---- the tests

def test_every_operation_has_a_row():
    assert sorted(ROWS) == sorted(TABLE), "add a row for each operation to ROWS, with what it needs"
    assert {name: o["scope"] for name, o in TABLE.items()} == {name: scope for name, (scope, _) in ROWS.items()}


def carried(protocol, credential, name):
    if protocol == "MCP, resource":
        return "resource" in TABLE[name]
    return credential.text is not None or protocol != "MCP, token in the message"


def test_every_cell_of_the_matrix_is_as_expected(world):
    tally = Tally()
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    reply = world.ask("mcp", "POST", "/mcp", json.dumps(message).encode(), ["Content-Type: application/json", f"Authorization: Bearer {world.admin}"])
    assert reply.status == 200, reply.text
    tools = {tool["name"]: tool for tool in json.loads(reply.body)["result"]["tools"]}
    credentials = [*world.refused_ones(), *world.good_ones()]
    assert sorted(tools) == sorted(TOOLS)
    for name in ROWS:
        world.ensure()
        before = world.state()
        for allowed in (False, True):
            for credential in credentials:
                if credential.may(name) != allowed:
                    continue
                for protocol, call in PROTOCOLS.items():
                    if carried(protocol, credential, name):
                        if allowed:
                            world.ensure()
                        tally.count(f"{protocol}, {name}, {credential.name}", call(world, credential, name, tools))
            if not allowed:
                after = world.state()
                tally.count(f"{name}: refused calls change nothing", None if after == before else
                            str([(path, before.get(path), after.get(path)) for path in after if before.get(path) != after.get(path)])[:500])
    tally.report(f"{len(ROWS)} operations x {len(credentials)} credentials")


def test_every_tool_of_standard_input_is_within_its_scope(world, tmp_path):
    tally = Tally()
    for scope in LEVELS:
        with contextlib.closing(Closing(tmp_path, world, scope)) as peer:
            tools = peer.tools()
            assert sorted(tools) == sorted(TOOLS)
            for name in ROWS:
                world.ensure()
                reply = peer.request("tools/call", mcp_call(name, tools)["params"])
                tally.count(f"stdio --scope {scope}, {name}", on_stdio(reply, scope, name))
    tally.report("evdb mcp")


class Closing(Stdio):
    """`evdb mcp` on the server's own database."""

    def __init__(self, directory, world, scope):
        super().__init__(directory, "--scope", scope, data=world.server.directory)

    close = Stdio.stop


def on_stdio(reply, scope, name):
    error = reply.get("error", {})
    if name not in TOOLS:
        return None if "there is no tool" in error.get("message", "") else str(reply)[:200]
    if level(scope) < level(ROWS[name][0]):
        return None if f"needs the scope '{ROWS[name][0]}'" in error.get("message", "") else str(reply)[:200]
    return str(reply)[:200] if "needs the scope" in str(reply) else None


def test_lists_tell_of_the_stores_of_the_scopes_alone(world):
    world.ensure()
    for path, key, name in (("stores", "stores", "name"), ("indexes", "indexes", "store")):
        for scopes, seen in (([f"read:{OTHER}"], [OTHER]), ([f"write:{STORE}*"], [STORE]), (["read:*"], [STORE, OTHER]), (["read:nobody"], [])):
            token = world.api_key(scopes)["api_key"]
            reply = world.rest("GET", f"/api/v1/{path}", headers=[f"X-API-Key: {token}"])
            assert [one[name] for one in json.loads(reply.body)[key]] == seen, (path, scopes, reply.text)


def test_resources_are_of_the_stores_of_the_scopes_alone(world):
    world.ensure()
    assert [name for name in TABLE if "resource" in TABLE[name]] == ["describe_store", "get_record"]
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}).encode()
    for scopes, seen in (([f"read:{OTHER}"], [OTHER]), ([f"write:{STORE}*"], [STORE]), (["read:*"], [STORE, OTHER]), (["read:nobody"], []), (["read"], [STORE, OTHER])):
        token = world.api_key(scopes)["api_key"]
        reply = world.ask("mcp", "POST", "/mcp", message, ["Content-Type: application/json", f"Authorization: Bearer {token}"])
        assert [one["name"] for one in json.loads(reply.body)["result"]["resources"]] == seen, (scopes, reply.text)


def test_two_credentials_are_none(world):
    one, other = (world.api_key(["admin"])["api_key"] for _ in range(2))
    for headers in ([f"X-API-Key: {one}", f"api-key: {other}"], [f"Authorization: Bearer {world.admin}", f"X-API-Key: {one}"],
                    [f"X-API-Key: {one}", f"X-API-Key: {one}"], [f"Authorization: Bearer {one}", f"authorization: Bearer {other}"]):
        reply = world.server.ask("GET", "/api/v1/stores", b"", headers)
        assert reply.status == 400, (headers, reply.text)
        assert one not in reply.text and other not in reply.text
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
        assert world.server.ask("POST", "/mcp", body, [*headers, "Content-Type: application/json"], "mcp").status == 400
