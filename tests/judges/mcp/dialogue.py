"""dialogue.py - what an agent does with a store, by the official Python client, over stdio and HTTP.

Takes from the environment EVDB (the command), EVDB_MCP_URL and EVDB_TOKEN. Prints a line for each dialogue that went as it should."""
import asyncio
import os
import tempfile

import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


def http():
    headers = {"Authorization": f"Bearer {os.environ['EVDB_TOKEN']}"}
    return streamable_http_client(os.environ["EVDB_MCP_URL"], http_client=httpx2.AsyncClient(headers=headers))


def stdio():
    directory = tempfile.mkdtemp()
    return stdio_client(StdioServerParameters(command=os.environ["EVDB"], args=["mcp", "-d", f"{directory}/data"]))


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
    wrong = await client.call_tool("search_vectors", {"store": store, "vector": [1, 2, 3]})
    assert wrong.is_error and "3" in wrong.content[0].text
    assert (await client.call_tool("sync_store", {"store": store})).structured_content == {"synced": store}
    try:
        await client.call_tool("no_such_tool", {})
    except MCPError as error:
        assert error.error.code == -32602
    else:
        raise AssertionError("an unknown tool was called")
    assert (await client.call_tool("drop_store", {"store": store})).structured_content == {"dropped": store}


async def main():
    for transport in (stdio, http):
        for mode in ("legacy", "auto"):
            async with Client(transport(), mode=mode) as client:
                await use(client, f"python-{mode}")
                print(f"python {transport.__name__} {mode}: {client.protocol_version}, {client.server_info.name} {client.server_info.version}")


asyncio.run(main())
