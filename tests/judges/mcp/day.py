"""day.py - an agent's day with real records, by the official Python client, over HTTP in both eras and over stdio: a store is created,
filled, searched, changed, backed up and restored under a new name. Each call is made with the least scope that allows it, and is
refused one scope lower; at the end an agent that asks for too little at first is let in step by step.

Takes from the environment EVDB (the command), EVDB_MCP_URL, EVDB_ISSUER, EVDB_CLIENTS (id -> secret; reader, writer and keeper, and agent,
who may do all), EVDB_REAL_DATA (a folder). Prints a line for each part of a day that went as it should."""
import asyncio
import contextlib
import json
import math
import os
import struct
import subprocess
import tempfile

import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client

URL, ISSUER, EVDB, DATA = (os.environ[name] for name in ("EVDB_MCP_URL", "EVDB_ISSUER", "EVDB", "EVDB_REAL_DATA"))
CLIENTS = json.loads(os.environ["EVDB_CLIENTS"])
SCOPES = {"read": "reader", "write": "writer", "admin": "keeper"}
RECORDS, DENIED = 1000, -31003
USED = {"update_metadata", "set_trash", "undelete_records", "list_trash"}


# ---- records

def unpacked(name, length):
    """The first bytes of a file that is packed with zstd."""
    with subprocess.Popen(["zstd", "-dcq", f"{DATA}/{name}.zst"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        data = process.stdout.read(length)
        process.kill()
    return data


def vectors(name, count, dim=384):
    data = unpacked(f"{name}.f16.npy", 128 + 2 * dim * count)
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    assert data.startswith(b"\x93NUMPY\x01\x00") and b"'<f2'" in data[:begin]
    return [list(struct.unpack_from(f"<{dim}e", data, begin + 2 * dim * i)) for i in range(count)]


def texts(name, count):
    return unpacked(f"{name}.texts.txt", 1000 * count).decode(errors="replace").split("\n")[:count]


def real_records():
    sentences = texts("minilm-384.base50k", RECORDS)
    return [{"id": f"p{i}", "vector": vector, "metadata": {"text": text, "words": len(text.split())}}
            for i, (text, vector) in enumerate(zip(sentences, vectors("minilm-384.base50k", RECORDS)))]


def single(vector):
    """The numbers of single precision that are meant by what is printed with as few digits as will do."""
    return list(struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector)))


def nearest(query, records, k):
    """Ids by cosine distance, found the plain way."""
    def similarity(v):
        return sum(map(float.__mul__, query, v)) / math.sqrt(sum(map(float.__mul__, v, v)))
    return [record["id"] for record in sorted(records, key=lambda record: -similarity(record["vector"]))[:k]]


# ---- who asks

class Memory:
    """What the client keeps of its tokens."""
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Web:
    """A client of evdbd that finds out by itself where tokens come from, or has one of its own. `last` is the last answer to it."""

    def __init__(self, stack, mode):
        self.stack, self.mode, self.answers, self.asked = stack, mode, [], []

    async def enter(self, client, scope=None, token=None):
        async def note(response):
            if str(response.request.url) == URL:
                self.answers.append((response.status_code, response.headers.get("www-authenticate", "")))
            elif response.request.method == "POST":
                self.asked.append(response.request.content.decode())

        if token:
            known = {"headers": {"Authorization": f"Bearer {token}"}}
        else:
            known = {"auth": ClientCredentialsOAuthProvider(server_url=URL, storage=Memory(), client_id=client, client_secret=CLIENTS[client],
                                                            scope=scope, issuer=ISSUER)}
        web = httpx2.AsyncClient(event_hooks={"response": [note]}, timeout=60, **known)
        self.client = await self.stack.enter_async_context(Client(streamable_http_client(URL, http_client=web), mode=self.mode))
        return self

    async def is_refused(self, tool, arguments, scope):
        try:
            await self.client.call_tool(tool, arguments)
        except Exception:  # which one is the client's affair; what the server said is ours
            status, challenge = self.answers[-1]
            return status == 403 and 'error="insufficient_scope"' in challenge and f'scope="{scope}"' in challenge
        return False


class Pipe:
    def __init__(self, stack, directory):
        self.stack, self.directory = stack, directory

    async def enter(self, scope):
        server = StdioServerParameters(command=EVDB, args=["mcp", "-d", f"{self.directory}/data", "--scope", scope])
        self.client = await self.stack.enter_async_context(Client(stdio_client(server), mode="auto"))
        return self

    async def is_refused(self, tool, arguments, scope):
        try:
            await self.client.call_tool(tool, arguments)
        except MCPError as error:
            return error.error.code == DENIED and f"'{scope}'" in error.error.message
        return False


async def token_of(client):
    """A token of all that a client may do."""
    async with httpx2.AsyncClient() as web:
        reply = await web.post(f"{ISSUER}/oauth/token", data={"grant_type": "client_credentials", "client_id": client, "client_secret": CLIENTS[client]})
        return reply.json()["access_token"]


async def stranger_is_refused(tool, arguments):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    async with httpx2.AsyncClient() as web:
        reply = await web.post(URL, json=message, headers={"Accept": "application/json, text/event-stream"})
    challenge = reply.headers.get("www-authenticate", "")
    return reply.status_code == 401 and challenge.startswith("Bearer ") and "resource_metadata=" in challenge and "error=" not in challenge


class Day:
    """One day. who: scope -> who has it; refused: scope -> who has no more than that, for calls that must fail."""

    def __init__(self, name, store, who, refused):
        self.name, self.store, self.who, self.refused, self.tried = name, store, who, refused, set()

    def done(self, what):
        print(f"{self.name}: {what}")

    async def do(self, scope, tool, **arguments):
        """What the tool answers to who has this scope. The first time it is asked of who has less."""
        assert self.tools[tool].meta["evdb/scope"] == scope, (tool, self.tools[tool].meta)
        if tool not in self.tried:
            self.tried.add(tool)
            lower = {"write": "read", "admin": "write"}.get(scope)
            if lower:
                assert await self.refused[lower].is_refused(tool, arguments, scope), tool
            elif isinstance(self.refused["read"], Web):
                assert await stranger_is_refused(tool, arguments), tool
        result = await self.who[scope].client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        return result.structured_content

    async def everything(self, store):
        found, after = [], {}
        while True:
            page = await self.do("read", "scroll_records", store=store, vectors=True, **after)
            found += page["records"]
            if "next" not in page:
                return {record["id"]: (single(record["vector"]), record["metadata"]) for record in found}
            after = {"after": page["next"]}

    async def begin(self, records):
        self.tools = {tool.name: tool for tool in (await self.who["read"].client.list_tools()).tools}
        assert USED - set(self.tools) == set(), USED - set(self.tools)
        created = await self.do("write", "create_store", name=self.store, metric="cosine", dim=384)
        assert created["name"] == self.store
        self.done("a store is created")
        for record in records[:100]:
            assert (await self.do("write", "insert_vector", store=self.store, **record))["id"] == record["id"]
        for i in range(100, RECORDS, 100):
            await self.do("write", "write_batch", store=self.store, records=records[i:i + 100])
        assert (await self.do("read", "count_records", store=self.store))["count"] == RECORDS
        self.done("1,000 real records are inserted")

    async def search(self, records):
        (query,), (sentence,) = vectors("minilm-384.query", 1), texts("minilm-384.query", 1)
        found = (await self.do("read", "search_vectors", store=self.store, vector=query, k=10))["results"]
        assert [hit["id"] for hit in found] == nearest(query, records, 10)
        assert all(hit["metadata"] == records[int(hit["id"][1:])]["metadata"] for hit in found)
        self.done(f"searched for {sentence!r}, found {found[0]['metadata']['text']!r}")
        short = [record for record in records if record["metadata"]["words"] <= 6]
        filtered = (await self.do("read", "search_vectors", store=self.store, vector=query, k=10, filter={"words": {"$lte": 6}}))["results"]
        assert 10 < len(short) < RECORDS and [hit["id"] for hit in filtered] == nearest(query, short, 10)
        self.done("searched with a filter")

    async def update(self, records):
        changed = {"id": "p7", "metadata": {"text": "changed", "words": 1}, "vector": records[8]["vector"]}
        await self.do("write", "update_vector", store=self.store, id="p7", metadata=changed["metadata"])
        await self.do("write", "update_vector", store=self.store, id="p7", vector=changed["vector"])
        if "update_metadata" in self.tools:
            changed["metadata"] = {**changed["metadata"], "seen": True}
            await self.do("write", "update_metadata", store=self.store, id="p7", metadata={"seen": True})
        records[7] = changed
        record = (await self.do("read", "get_records", store=self.store, ids=["p7"], vectors=True))["records"][0]
        assert {**record, "vector": single(record["vector"])}.items() >= changed.items()
        self.done("metadata and vector are updated")

    async def delete(self, records):
        ids = [record["id"] for record in records[20:30]]
        undo = "undelete_records" in self.tools
        if undo:
            await self.do("admin", "set_trash", store=self.store)
        await self.do("write", "delete_records", store=self.store, ids=ids)
        assert (await self.do("read", "count_records", store=self.store))["count"] == RECORDS - 10
        if undo:
            assert {record["id"] for record in (await self.do("read", "list_trash", store=self.store))["records"]} == set(ids)
            assert (await self.do("write", "undelete_records", store=self.store, ids=ids))["restored"] == 10
            assert (await self.do("read", "list_trash", store=self.store))["records"] == []
        else:
            await self.do("write", "write_batch", store=self.store, records=records[20:30])
        assert await self.everything(self.store) == {record["id"]: (record["vector"], record["metadata"]) for record in records}
        self.done("ten are deleted, and brought back" if undo else "ten are deleted, and written again")

    async def keep(self, records):
        backup, copy = f"{self.store}-evening", f"{self.store}-again"
        await self.do("admin", "backup_store", store=self.store, backup=backup)
        assert backup in [entry["backup"] for entry in (await self.do("admin", "list_backups"))["backups"]]
        self.done("backed up")
        await self.do("write", "delete_records", store=self.store, ids=["p1"])
        await self.do("admin", "restore_store", store=copy, backup=backup)
        assert await self.everything(copy) == {record["id"]: (record["vector"], record["metadata"]) for record in records}
        assert (await self.do("read", "count_records", store=self.store))["count"] == RECORDS - 1
        self.done("restored under a new name")


async def live(day):
    records = real_records()
    await day.begin(records)
    await day.search(records)
    await day.update(records)
    await day.delete(records)
    await day.keep(records)


async def by_web(mode):
    async with contextlib.AsyncExitStack() as stack:
        who = {scope: await Web(stack, mode).enter(client) for scope, client in SCOPES.items()}
        less = {scope: await Web(stack, mode).enter(client, token=await token_of(client)) for scope, client in list(SCOPES.items())[:2]}
        await live(Day(f"http {mode}", f"day-{mode}", who, less))
    async with contextlib.AsyncExitStack() as stack:
        agent = await Web(stack, mode).enter("agent", scope="read")
        steps = [("count_records", {"store": f"day-{mode}"}), ("create_store", {"name": f"step-{mode}"}), ("list_backups", {})]
        for tool, arguments in steps:
            assert not (await agent.client.call_tool(tool, arguments)).is_error
        assert len(agent.asked) == 3 and sum(status == 403 for status, _ in agent.answers) == 2, (agent.asked, agent.answers)
        print(f"http {mode}: an agent is let in step by step")


async def by_pipe():
    directory = tempfile.mkdtemp()
    async with contextlib.AsyncExitStack() as stack:
        who = {}
        for scope in ("write", "read", "admin"):  # who may only read creates no database
            who[scope] = await Pipe(stack, directory).enter(scope)
            await who[scope].client.list_tools()
        await live(Day("stdio", "day", who, who))


async def main():
    await by_web("legacy")
    await by_web("auto")
    await by_pipe()


asyncio.run(main())
