// dialogue.mjs - what an agent does with a store, by the official TypeScript client, over stdio and HTTP. It checks each tool's
// structured content against the tool's output schema by itself. Takes from the environment what dialogue.py takes.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(process.env.EVDB_JUDGES, "package.json"));
const sdk = (name) => require(`@modelcontextprotocol/sdk/${name}`);
const { Client } = sdk("client/index.js");
const { StdioClientTransport } = sdk("client/stdio.js");
const { StreamableHTTPClientTransport } = sdk("client/streamableHttp.js");

const transports = {
    stdio: () => new StdioClientTransport({ command: process.env.EVDB, args: ["mcp", "-d", join(mkdtempSync(join(tmpdir(), "evdb-")), "data")] }),
    http: () => new StreamableHTTPClientTransport(new URL(process.env.EVDB_MCP_URL),
        { requestInit: { headers: { Authorization: `Bearer ${process.env.EVDB_TOKEN}` } } }),
};

async function use(client, store) {
    const call = (name, args) => client.callTool({ name, arguments: args });
    const tools = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));
    assert.equal(tools.get("search_vectors").annotations.readOnlyHint, true);
    assert.equal((await call("create_store", { name: store, metric: "euclidean" })).structuredContent.name, store);
    for (let i = 0; i < 20; i++) await call("insert_vector", { store, id: `doc${i}`, vector: [i, 0.5], metadata: { n: i } });
    const found = (await call("search_vectors", { store, vector: [7, 0.5], k: 3 })).structuredContent.results;
    assert.deepEqual(found[0], { id: "doc7", distance: 0, score: 1, metadata: { n: 7 } });
    assert.equal(found.length, 3);
    assert.equal((await call("search_vectors", { store, vector: [1, 2, 3] })).isError, true);
    assert.deepEqual((await call("sync_store", { store })).structuredContent, { synced: store });
    await assert.rejects(call("no_such_tool", {}), { code: -32602 });
    await client.ping();
    assert.deepEqual((await call("drop_store", { store })).structuredContent, { dropped: store });
}

for (const [name, transport] of Object.entries(transports)) {
    const client = new Client({ name: "judge", version: "1" });
    await client.connect(transport());
    await use(client, `node-${name}`);
    const { name: server, version } = client.getServerVersion();
    console.log(`node ${name}: ${server} ${version}`);
    await client.close();
}
