"""test_conformance_server.py - evdbd-conformance, which has what the conformance suite asks for: nothing of that is in evdb or evdbd, and the state that
it has its clients carry is good for nothing else."""
import json
import subprocess
import types
import urllib.request

import pytest
from mcp_peers import BUILD, MODERN, PATIENCE, PREFIX, Http, Stdio, headers_of, modern

LISTS = {"tools/list": ("tools", "name"), "prompts/list": ("prompts", "name"), "resources/list": ("resources", "uri"),
         "resources/templates/list": ("resourceTemplates", "uriTemplate")}
CAPABLE = {PREFIX + "clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}}}


@pytest.fixture(scope="module")
def ask():
    """Asks evdbd-conformance in the words of the modern version; the reply and its HTTP status."""
    process = subprocess.Popen([BUILD / "tests/conformance/evdbd-conformance"], stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{process.stdout.readline().strip()}/mcp"

    def post(method, params=None, **more):
        message = modern({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**(params or {}), "_meta": CAPABLE}})
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers_of(message), **more}
        headers = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        request = urllib.request.Request(url, json.dumps(message).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return types.SimpleNamespace(status=reply.status, **json.load(reply))
        except urllib.error.HTTPError as error:
            return types.SimpleNamespace(status=error.code, **json.load(error))

    yield post
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


def names(request):
    """All that is offered, by all lists that there are."""
    found = set()
    for method, (member, key) in LISTS.items():
        reply = request(method)
        found |= {item[key] for item in reply.get("result", {}).get(member, ())}
    return found


@pytest.fixture(scope="module")
def fixtures(ask, daemon):
    """What the suite's server alone offers."""
    shipped = names(Http(daemon).request)
    offered = names(lambda method: vars(ask(method)))
    assert {"create_store", "search_vectors"} <= shipped & offered
    return offered - shipped


def test_the_fixtures_are_there(fixtures):
    assert {"test_simple_text", "test_missing_capability", "test_input_required_result_elicitation", "json_schema_2020_12_tool"} <= fixtures


@pytest.mark.parametrize("program", ["evdb", "evdbd", "libevdb.so"])
def test_nothing_of_them_is_in_what_is_shipped(program, fixtures):
    shipped, control = (BUILD / program).read_bytes(), (BUILD / "tests/conformance/evdbd-conformance").read_bytes()
    assert all(name.encode() in control for name in fixtures)
    assert [name for name in fixtures if name.encode() in shipped] == []
    assert b"test://" in control and b"test://" not in shipped


def test_neither_transport_offers_or_knows_one(fixtures, daemon, tmp_path):
    stdio = Stdio(tmp_path, "--scope", "admin")
    for peer in (stdio, Http(daemon)):
        assert not names(peer.request) & fixtures
        assert "error" in peer.request("tools/call", {"name": "test_simple_text", "arguments": {}})
    stdio.stop()


def begun(ask, tool):
    result = ask("tools/call", {"name": tool}).result
    assert result["resultType"] == "input_required"
    return result["requestState"]


def answered(ask, tool, state, key, content):
    return ask("tools/call", {"name": tool, "requestState": state, "inputResponses": {key: {"action": "accept", "content": content}}})


def test_a_state_is_good_for_its_own_tool_alone(ask):
    state = begun(ask, "test_input_required_result_request_state")
    other = answered(ask, "test_input_required_result_tampered_state", state, "confirm", {"ok": True})
    assert other.error["code"] == -32602 and "requestState" in other.error["message"]
    own = answered(ask, "test_input_required_result_request_state", state, "confirm", {"ok": True})
    assert "state-ok" in own.result["content"][0]["text"]


@pytest.mark.parametrize("change", [
    lambda s: s + "A", lambda s: s[:-1], lambda s: s[::-1], lambda s: "", lambda s: s.swapcase(), lambda s: "A" * 200, lambda s: 7,
], ids=["longer", "shorter", "backwards", "empty", "swapped", "made up", "a number"])
def test_a_state_that_was_changed_is_refused(ask, change):
    tool = "test_input_required_result_multi_round"
    state = begun(ask, tool)
    assert answered(ask, tool, change(state), "step1", {"name": "Ada"}).error["code"] == -32602


def test_a_state_remembers_what_was_said_before(ask):
    tool = "test_input_required_result_multi_round"
    second = answered(ask, tool, begun(ask, tool), "step1", {"name": "Ada"}).result
    assert list(second["inputRequests"]) == ["step2"]
    assert "Ada" in answered(ask, tool, second["requestState"], "step2", {"color": "blue"}).result["content"][0]["text"]


def test_what_the_client_is_not_capable_of_is_named(ask, monkeypatch):
    monkeypatch.setitem(CAPABLE, PREFIX + "clientCapabilities", {"sampling": {}})
    refused = ask("tools/call", {"name": "test_input_required_result_elicitation"})
    assert refused.status == 400 and refused.error["code"] == -32021
    assert refused.error["data"] == {"requiredCapabilities": {"elicitation": {}}}


@pytest.mark.parametrize("arguments, header, good", [
    ({"region": "here"}, "here", True), ({"region": "here"}, "=?base64?aGVyZQ==?=", True), ({}, None, True), ({"region": None}, None, True),
    ({"region": "here"}, None, False), ({"region": "here"}, "there", False), ({"region": "here"}, "=?base64?aGVyZQ?=", False), ({}, "here", False),
])
def test_a_header_repeats_an_argument(ask, arguments, header, good):
    reply = ask("tools/call", {"name": "test_header_parameter", "arguments": arguments}, Mcp_Param_Region=header)
    if good:
        assert reply.status == 200 and reply.result["isError"] is False
    else:
        assert reply.status == 400 and reply.error["code"] == -32020


@pytest.mark.parametrize("trigger, method, member, name", [
    ("test_trigger_tool_change", "tools/list", "tools", "test_changing_tool"),
    ("test_trigger_prompt_change", "prompts/list", "prompts", "test_changing_prompt"),
])
def test_what_is_said_to_change_a_list_changes_it(ask, trigger, method, member, name):
    seen = []
    for _ in range(3):
        seen.append(name in {item["name"] for item in ask(method).result[member]})
        assert ask("tools/call", {"name": trigger}).status == 200
    assert seen == [seen[0], not seen[0], seen[0]]
    ask("tools/call", {"name": trigger})
