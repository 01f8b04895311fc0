"""dialogue.py - what an agent does with a store, by the official Python client, over stdio and HTTP.

Takes from the environment what JudgedServer says. Prints a line for each dialogue that went as it should."""
import asyncio
import json
import os
import pathlib
import tempfile
import urllib.parse

import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider, PrivateKeyJWTOAuthProvider, SignedJWTParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from mcp.types import ResourceTemplateReference

URL, ISSUER, CALLBACK = os.environ["EVDB_MCP_URL"], os.environ["EVDB_ISSUER"], "http://127.0.0.1:1234/cb"
VERSIONS = {"legacy": "2025-11-25", "auto": "2026-07-28"}


class Memory:
    """Where a provider keeps its tokens."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def secret(method):
    return ClientCredentialsOAuthProvider(URL, Memory(), "judge", os.environ["EVDB_SECRET"], method, issuer=ISSUER)


def key():
    jwt = SignedJWTParameters(issuer="judge-es256", subject="judge-es256", signing_algorithm="ES256",
                              signing_key=pathlib.Path(os.environ["EVDB_KEY_ES256"]).read_text())
    return PrivateKeyJWTOAuthProvider(URL, Memory(), "judge-es256", jwt.create_assertion_provider(), issuer=ISSUER)


def person():
    """Asks the person with the browser."""
    memory, came_back = Memory(), []
    memory.client = OAuthClientInformationFull(client_id="judge-public", redirect_uris=[CALLBACK], token_endpoint_auth_method="none", issuer=ISSUER)

    async def browse(url):
        async with httpx2.AsyncClient() as browser:
            came_back.append((await browser.get(os.environ["EVDB_BROWSER"], params={"url": url}, timeout=60)).text)

    async def wait():
        said = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(came_back.pop()).query))
        return AuthorizationCodeResult(code=said["code"], state=said["state"], iss=said["iss"])

    return OAuthClientProvider(URL, OAuthClientMetadata(redirect_uris=[CALLBACK], token_endpoint_auth_method="none"), memory, browse, wait)


PROVIDERS = {"client_secret_basic": lambda: secret("client_secret_basic"), "client_secret_post": lambda: secret("client_secret_post"),
             "private_key_jwt": key, "authorization_code": person}


def stdio():
    directory = tempfile.mkdtemp()
    return stdio_client(StdioServerParameters(command=os.environ["EVDB"], args=["mcp", "-d", f"{directory}/data"]))


async def fails(asked, code):
    try:
        await asked
    except MCPError as error:
        assert code in (None, error.error.code), error
    else:
        raise AssertionError("what is not there was found")


async def read_resources(client, store):
    uri = f"evdb://stores/{store}"
    assert uri in [str(resource.uri) for resource in (await client.list_resources()).resources]
    templates = [template.uri_template for template in (await client.list_resource_templates()).resource_templates]
    assert "evdb://stores/{name}/records/{id}" in templates
    described, = (await client.read_resource(uri)).contents
    assert json.loads(described.text)["name"] == store
    record, = (await client.read_resource(f"{uri}/records/doc7")).contents
    assert json.loads(record.text)["metadata"] == {"n": 7}
    await fails(client.read_resource(f"{uri}-that-is-not-there"), None)
    completed = await client.complete(ResourceTemplateReference(uri="evdb://stores/{name}"), {"name": "name", "value": store[:-1]})
    assert store in completed.completion.values


async def read_prompts(client, store):
    prompts = (await client.list_prompts()).prompts
    assert prompts
    for prompt in prompts:
        got = await client.get_prompt(prompt.name, {argument.name: store for argument in prompt.arguments or []})
        assert got.messages and all(getattr(content, "text", None) or content.resource.text for content in (m.content for m in got.messages))
    await fails(client.get_prompt("no_such_prompt", {}), -32602)


async def use(client, store):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools["search_vectors"].annotations.read_only_hint and tools["drop_store"].annotations.destructive_hint
    created = await client.call_tool("create_store", {"name": store, "metric": "euclidean"})
    assert not created.is_error and created.structured_content["name"] == store
    for i in range(20):
        await client.call_tool("insert_vector", {"store": store, "id": f"doc{i}", "vector": [i, 0.5], "metadata": {"n": i}})
    found = await client.call_tool("search_vectors", {"store": store, "vector": [7, 0.5], "k": 3})
    assert found.structured_content["results"][0] == {"id": "doc7", "distance": 0, "score": 1, "metadata": {"n": 7}}
    assert len(found.structured_content["results"]) == 3 and found.content[0].type == "text"
    found = await client.call_tool("search_vectors", {"store": store, "vector": [7, 0.5], "k": 3, "filter": {"n": {"$gt": 10}}})
    assert [hit["id"] for hit in found.structured_content["results"]] == ["doc11", "doc12", "doc13"]
    wrong = await client.call_tool("search_vectors", {"store": store, "vector": [1, 2, 3]})
    assert wrong.is_error and "3" in wrong.content[0].text
    assert (await client.call_tool("sync_store", {"store": store})).structured_content == {"synced": store}
    await fails(client.call_tool("no_such_tool", {}), -32602)
    announced = client.server_capabilities
    assert announced.resources and announced.prompts and announced.completions is not None
    await read_resources(client, store)
    await read_prompts(client, store)
    assert (await client.call_tool("drop_store", {"store": store})).structured_content == {"dropped": store}


async def talk(transport, mode, store):
    async with Client(transport, mode=mode) as client:
        assert client.protocol_version == VERSIONS[mode], client.protocol_version
        await use(client, store)


def found_its_way(seen):
    """Refused without a token; told where to ask; and told once more that reading is not enough for a write."""
    assert seen[0] == "POST /mcp 401", seen
    assert seen.index("GET /.well-known/oauth-protected-resource/mcp 200") < seen.index("GET /.well-known/oauth-authorization-server 200")
    assert seen.count("POST /mcp 403") == 1 and seen.count("POST /oauth/token 200") == 2, seen


async def main():
    for mode in VERSIONS:
        await talk(stdio(), mode, f"python-{mode}")
        print(f"python {mode}: stdio", flush=True)
        for number, (method, provider) in enumerate(PROVIDERS.items()):
            seen = []

            async def watch(answer):
                seen.append(f"{answer.request.method} {answer.request.url.path} {answer.status_code}")

            async with httpx2.AsyncClient(auth=provider(), event_hooks={"response": [watch]}) as http:
                await talk(streamable_http_client(URL, http_client=http), mode, f"python-{mode}-{number}")
            found_its_way(seen)
            print(f"python {mode}: HTTP, {method}", flush=True)


asyncio.run(main())
