// sdk_v1.mjs - npm's @modelcontextprotocol/sdk talks to `evdb mcp` and to evdbd. Prints a line for each dialogue that went as it should.
import { createRequire } from "node:module";
import { join } from "node:path";
import { command, foundItsWay, key, secret, url, use, watched } from "./dialogue.mjs";

const require = createRequire(join(process.env.EVDB_JUDGES, "package.json"));
const sdk = (name) => require(`@modelcontextprotocol/sdk/${name}`);
const { Client } = sdk("client/index.js");
const { ClientCredentialsProvider, PrivateKeyJwtProvider } = sdk("client/auth-extensions.js");
const { StdioClientTransport } = sdk("client/stdio.js");
const { StreamableHTTPClientTransport } = sdk("client/streamableHttp.js");

async function talk(name, transport) {
    const client = new Client({ name: "judge", version: "1" });
    await client.connect(transport);
    await use(client, `sdk-${name}`);
    await client.close();
}

await talk("stdio", new StdioClientTransport(command()));
console.log("sdk 1: stdio");
for (const [name, authProvider] of Object.entries({ secret: new ClientCredentialsProvider(secret), key: new PrivateKeyJwtProvider(key) })) {
    const { fetch, seen } = watched();
    await talk(name, new StreamableHTTPClientTransport(url, { authProvider, fetch }));
    foundItsWay(seen, false); // its providers ask for all that the client has, not for what the server names
    console.log(`sdk 1: HTTP, a token for a ${name}`);
}
