// dialogue.mjs - what an agent does with a store, by any of the TypeScript clients, which check structured content against the tools'
// output schemas by themselves; and what is to be seen of a client that had to find out where tokens are to be had.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const env = process.env;
export const url = new URL(env.EVDB_MCP_URL);
export const secret = { clientId: "judge", clientSecret: env.EVDB_SECRET, expectedIssuer: env.EVDB_ISSUER };
export const key = { clientId: "judge-es256", privateKey: readFileSync(env.EVDB_KEY_ES256, "latin1"), algorithm: "ES256", expectedIssuer: env.EVDB_ISSUER };
export const command = () => ({ command: env.EVDB, args: ["mcp", "-d", join(mkdtempSync(join(tmpdir(), "evdb-")), "data")] });

async function readResources(client, store) {
    const uri = `evdb://stores/${store}`;
    assert((await client.listResources()).resources.some((resource) => resource.uri === uri));
    const templates = (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate);
    assert(templates.includes("evdb://stores/{name}/records/{id}"));
    const [described] = (await client.readResource({ uri })).contents;
    assert.equal(JSON.parse(described.text).name, store);
    const [record] = (await client.readResource({ uri: `${uri}/records/doc7` })).contents;
    assert.deepEqual(JSON.parse(record.text).metadata, { n: 7 });
    await assert.rejects(client.readResource({ uri: `${uri}-that-is-not-there` }));
    const { completion } = await client.complete({ ref: { type: "ref/resource", uri: "evdb://stores/{name}" },
        argument: { name: "name", value: store.slice(0, -1) } });
    assert(completion.values.includes(store));
}

async function readPrompts(client, store) {
    const { prompts } = await client.listPrompts();
    assert(prompts.length > 0);
    for (const prompt of prompts) {
        const words = Object.fromEntries((prompt.arguments ?? []).map(({ name }) => [name, store]));
        const { messages } = await client.getPrompt({ name: prompt.name, arguments: words });
        assert(messages.length > 0 && messages.every(({ content }) => (content.text ?? content.resource.text).length > 0));
    }
    await assert.rejects(client.getPrompt({ name: "no_such_prompt" }), { code: -32602 });
}

export async function use(client, store) {
    const call = (name, args) => client.callTool({ name, arguments: args });
    const tools = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));
    assert.equal(tools.get("search_vectors").annotations.readOnlyHint, true);
    assert.equal(tools.get("drop_store").annotations.destructiveHint, true);
    assert.equal((await call("create_store", { name: store, metric: "euclidean" })).structuredContent.name, store);
    for (let i = 0; i < 20; i++) await call("insert_vector", { store, id: `doc${i}`, vector: [i, 0.5], metadata: { n: i } });
    const search = async (args) => (await call("search_vectors", { store, vector: [7, 0.5], k: 3, ...args })).structuredContent.results;
    const found = await search({});
    assert.deepEqual(found[0], { id: "doc7", distance: 0, score: 1, metadata: { n: 7 } });
    assert.equal(found.length, 3);
    assert.deepEqual((await search({ filter: { n: { $gt: 10 } } })).map((hit) => hit.id), ["doc11", "doc12", "doc13"]);
    const wrong = await call("search_vectors", { store, vector: [1, 2, 3] });
    assert(wrong.isError && wrong.content[0].text.includes("3"));
    assert.deepEqual((await call("sync_store", { store })).structuredContent, { synced: store });
    await assert.rejects(call("no_such_tool", {}), { code: -32602 });
    if (client.getProtocolEra?.() !== "modern") await client.ping();
    const { resources, prompts, completions } = client.getServerCapabilities();
    assert(resources && prompts && completions);
    await readResources(client, store);
    await readPrompts(client, store);
    assert.deepEqual((await call("drop_store", { store })).structuredContent, { dropped: store });
}

/** A fetch that keeps what was asked, and what came of it. */
export function watched() {
    const seen = [];
    const watch = async (where, init) => {
        const answer = await fetch(where, init);
        seen.push(`${init?.method ?? "GET"} ${new URL(where).pathname} ${answer.status}`);
        return answer;
    };
    return { fetch: watch, seen };
}

/** Refused without a token; told where to ask; and, when it `climbs`, told once more that reading is not enough for a write. */
export function foundItsWay(seen, climbs = true) {
    const times = (what) => seen.filter((each) => each === what).length;
    assert.equal(seen[0], "POST /mcp 401");
    assert(seen.indexOf("GET /.well-known/oauth-protected-resource/mcp 200") < seen.indexOf("GET /.well-known/oauth-authorization-server 200"));
    assert.equal(times("POST /mcp 403"), climbs ? 1 : 0, seen.join("\n"));
    assert.equal(times("POST /oauth/token 200"), climbs ? 2 : 1, seen.join("\n"));
}
