// client_v2.mjs - npm's @modelcontextprotocol/client talks to `evdb mcp` and to evdbd, in both of its modes. A line for each dialogue that
// went as it should.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { command, foundItsWay, key, secret, url, use, watched } from "./dialogue.mjs";

const require = createRequire(join(process.env.EVDB_JUDGES, "package.json"));
const { Client, ClientCredentialsProvider, PrivateKeyJwtProvider, StreamableHTTPClientTransport, UnauthorizedError } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");
const VERSIONS = { legacy: "2025-11-25", auto: "2026-07-28" };

async function talk(mode, name, transport) {
    const client = new Client({ name: "judge", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(transport);
    assert.equal(client.getNegotiatedProtocolVersion(), VERSIONS[mode]);
    await use(client, `client-${mode}-${name}`);
    await client.close();
}

/** Asks the person with the browser. */
class Person {
    redirectUrl = "http://127.0.0.1:1234/cb";
    clientMetadata = { client_name: "judge", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none" };
    clientInformation = () => ({ client_id: "judge-public", issuer: process.env.EVDB_ISSUER });
    tokens = () => this.kept;
    saveTokens = (tokens) => void (this.kept = tokens);
    discoveryState = () => this.found;
    saveDiscoveryState = (found) => void (this.found = found);
    codeVerifier = () => this.verifier;
    saveCodeVerifier = (verifier) => void (this.verifier = verifier);
    async redirectToAuthorization(where) {
        const answer = await fetch(`${process.env.EVDB_BROWSER}?url=${encodeURIComponent(where)}`);
        this.answer = new URL(await answer.text()).searchParams;
    }
}

/** Unlike with the other providers what was refused has to be asked again, by whoever asked. */
async function talkAsPerson(mode) {
    const authProvider = new Person(), { fetch, seen } = watched();
    const client = () => new Client({ name: "judge", version: "1" }, { versionNegotiation: { mode } });
    const first = new StreamableHTTPClientTransport(url, { authProvider, fetch });
    await assert.rejects(client().connect(first), UnauthorizedError);
    await first.finishAuth(authProvider.answer);
    const transport = new StreamableHTTPClientTransport(url, { authProvider, fetch }), user = client();
    await user.connect(transport);
    await assert.rejects(user.callTool({ name: "drop_store", arguments: { store: "judged" } }), UnauthorizedError);
    await transport.finishAuth(authProvider.answer);
    await use(user, `client-${mode}-person`);
    await user.close();
    foundItsWay(seen);
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
    await talkAsPerson(mode);
    console.log(`client 2, ${mode}: HTTP, a token for a person`);
}
