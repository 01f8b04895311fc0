"""test_prompts.py - prompts: what they ask for, what they say, and that what they say of tools is true."""
import json
import re

import pytest
from mcp_peers import Http

INVALID_PARAMS = -32602
NAMES = ["remember", "recall", "explore_store", "tidy_memory", "design_store"]


def prompts(peer):
    return {p["name"]: p for p in peer.result("prompts/list")["prompts"]}


def text_of(peer, name, **arguments):
    result = peer.result("prompts/get", {"name": name, "arguments": arguments})
    assert result["description"] and "ttlMs" not in result
    assert all(message["role"] == "user" for message in result["messages"])
    assert result["messages"][0]["content"]["type"] == "text"
    return result["messages"][0]["content"]["text"]


def required(prompt):
    return {a["name"]: "docs" for a in prompt["arguments"] if a["required"]}


def test_prompts_are_listed_with_their_arguments(each_peer):
    result = each_peer.result("prompts/list")
    assert [p["name"] for p in result["prompts"]] == NAMES and "nextCursor" not in result
    for prompt in result["prompts"]:
        assert set(prompt) == {"name", "title", "description", "arguments"}
        for argument in prompt["arguments"]:
            assert set(argument) == {"name", "title", "description", "required"}
    if each_peer.modern:
        assert result["ttlMs"] > 0 and result["cacheScope"] == "public"


def test_each_prompt_says_what_was_given_and_does_without_the_rest(each_peer):
    for name, prompt in prompts(each_peer).items():
        plain = text_of(each_peer, name, **required(prompt))
        assert not re.search(r"\{[a-z]+\}", plain)
        given = {a["name"]: f"docs-{a['name']}" for a in prompt["arguments"]}
        text = text_of(each_peer, name, **given)
        assert all(f'"{value}"' in text for value in given.values())


def properties(schema):
    """All names of members that a schema has, at any depth."""
    names = set(schema.get("properties", {}))
    for part in [*schema.get("properties", {}).values(), schema.get("items", {})]:
        names |= properties(part) if part else set()
    return names


def test_what_prompts_say_of_tools_is_true(peer):
    tools = peer.tools()
    for name, prompt in prompts(peer).items():
        named = set()
        for paragraph in text_of(peer, name, **required(prompt)).split("\n"):
            words = re.findall(r"`([^`]*)`", paragraph)
            assert paragraph.count("`") == 2 * len(words)
            here = [word for word in words if word in tools]
            known = set().union(*(properties(tools[tool]["inputSchema"]) | properties(tools[tool]["outputSchema"]) for tool in here))
            assert set(words) <= known | set(here), (name, paragraph, set(words) - known - set(here))
            named.update(here)
        assert len(named) >= 3, name


def test_examples_of_filters_are_filters(peer, store):
    peer.call("insert_vector", store=store, id=9, vector=[1, 2], metadata={"topic": "billing", "time": "2026-06-01"})
    found = []
    for name, prompt in prompts(peer).items():
        for example in re.findall(r'(?:`filter`, such as|`filter` such as|or) (\{.*?\}+)', text_of(peer, name, **required(prompt))):
            found.append(peer.call("count_records", store=store, filter=json.loads(example))["count"])
    assert len(found) >= 4 and 1 in found


def test_a_store_that_is_there_is_shown(each_peer, name):
    text = text_of(each_peer, "recall", store=name)
    assert text.endswith("There is no store of that name yet.")
    each_peer.call("create_store", name=name)
    messages = each_peer.result("prompts/get", {"name": "recall", "arguments": {"store": name}})["messages"]
    assert "There is no store" not in messages[0]["content"]["text"]
    shown = messages[1]["content"]
    assert shown["type"] == "resource" and shown["resource"] == each_peer.result("resources/read", {"uri": f"evdb://stores/{name}"})["contents"][0]


def test_what_is_given_is_text_and_nothing_else(stdio):
    peer = stdio()
    nasty = 'a "quote" {store} {question} `drop_store` \\ \n\t\u0001 é %s %n'
    text = text_of(peer, "recall", store="docs", question=nasty)
    before, _, behind = text.partition(" knows about ")
    quoted, end = json.JSONDecoder().raw_decode(behind)  # no quote or line break of it ends it
    assert quoted == nasty and behind[end:].startswith(", and answer from that.\n") and before.endswith('"docs"')
    assert text_of(peer, "recall", store="docs", question="") == text_of(peer, "recall", store="docs")
    assert text_of(peer, "recall", store="docs", question="x" * 4096).count("x" * 4096) == 1


@pytest.mark.parametrize("params, says", [
    (None, "'params.name'"), ({}, "'params.name'"), ({"name": 5}, "'params.name'"), ({"name": [1.0, 2.0, 3.0, 4.0, 5.0]}, "'params.name'"),
    ({"name": "none"}, "'none'"), ({"name": ""}, "''"), ({"name": "Recall", "arguments": {"store": "x"}}, "'Recall'"),
    ({"name": "recall"}, "'store'"), ({"name": "recall", "arguments": {}}, "'store'"), ({"name": "recall", "arguments": None}, "'store'"),
    ({"name": "recall", "arguments": {"store": ""}}, "'store'"), ({"name": "recall", "arguments": {"question": "why?"}}, "'store'"),
    ({"name": "recall", "arguments": {"store": "docs", "topic": "x"}}, "'topic'"), ({"name": "recall", "arguments": {"store": 5}}, "'store'"),
    ({"name": "recall", "arguments": {"store": None}}, "'store'"), ({"name": "recall", "arguments": {"store": ["docs"]}}, "'store'"),
    ({"name": "recall", "arguments": {"store": "docs", "question": {"a": 1}}}, "'question'"), ({"name": "recall", "arguments": []}, "'params.arguments'"),
    ({"name": "recall", "arguments": "store"}, "'params.arguments'"), ({"name": "recall", "arguments": {"store": "Not A Name"}}, "Not A Name"),
    ({"name": "recall", "arguments": {"store": "../x"}}, "../x"), ({"name": "recall", "arguments": {"store": "docs", "question": "x" * 4097}}, "4096"),
], ids=lambda value: str(value)[:60])
def test_wrong_names_and_arguments_are_refused(stdio, params, says):
    code, message, data = stdio().refuses("prompts/get", params)
    assert code == INVALID_PARAMS and says in message and data is None


def test_wrong_names_are_refused_in_every_version(each_peer):
    assert each_peer.refuses("prompts/get", {"name": "none"})[0] == INVALID_PARAMS
    assert each_peer.refuses("prompts/get", {"name": "recall"})[0] == INVALID_PARAMS


def test_a_token_of_any_scope_has_prompts(daemon):
    assert list(prompts(Http(daemon, "read"))) == NAMES
