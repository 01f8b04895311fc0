// client_v2.mjs - npm's @modelcontextprotocol/client talks to `evdb mcp` and to evdbd, in both of its modes. A line for each dialogue that
// went as it should.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { command, foundItsWay, key, secret, url, use, watched } from "./dialogue.mjs";

const require = createRequire(join(process.env.EVDB_JUDGES, "package.json"));
const { Client, ClientCredentialsProvider, PrivateKeyJwtProvider, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");
const VERSIONS = { legacy: "2025-11-25", auto: "2026-07-28" };

async function talk(mode, name, transport) {
    const client = new Client({ name: "judge", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(transport);
    assert.equal(client.getNegotiatedProtocolVersion(), VERSIONS[mode]);
    await use(client, `client-${mode}-${name}`);
    await client.close();
}

for (const mode of Object.keys(VERSIONS)) {
    await talk(mode, "stdio", new StdioClientTransport(command()));
    console.log(`client 2, ${mode}: stdio`);
    for (const [name, authProvider] of Object.entries({ secret: new ClientCredentialsProvider(secret), key: new PrivateKeyJwtProvider(key) })) {
        const { fetch, seen } = watched();
        await talk(mode, name, new StreamableHTTPClientTransport(url, { authProvider, fetch }));
        foundItsWay(seen);
        console.log(`client 2, ${mode}: HTTP, a token for a ${name}`);
    }
}
