"""test_tools.py - operations as tools, over both transports: what is listed, what is answered, what a model is told."""
import json
import random
import struct
import subprocess

import pytest
from jsonschema import Draft202012Validator
from mcp_peers import BUILD

HISTORIC = {"create_store": {"name"}, "insert_vector": {"store", "id", "vector", "metadata"},
            "search_vectors": {"store", "vector", "k"}, "sync_store": {"store"}}


def operations():
    table = subprocess.run([BUILD / "evdbd", "--print-operations"], capture_output=True, check=True).stdout
    return {operation["name"]: operation for operation in json.loads(table)}


def test_tools_are_operations_of_the_table(peer):
    table = operations()
    for name, tool in peer.tools().items():
        operation = table[name]
        assert tool["description"] == operation["doc"]
        for kind, stream, taken in ("inputSchema", "in", "input"), ("outputSchema", "out", "output"):
            if operation["stream"] == stream:  # a file is bytes elsewhere, and a string here
                assert tool[kind]["properties"].pop("data")["type"] == "string"
                assert tool[kind]["properties"].pop("base64")["type"] == "boolean"
                tool[kind]["required"] = [name for name in tool[kind]["required"] if name not in ("data", "base64")]
            assert tool[kind] == operation[taken]
        assert tool["_meta"] == {"evdb/scope": operation["scope"]}
        assert tool["title"] == name.replace("_", " ").capitalize()


def test_historic_tools_keep_their_names_and_arguments(peer):
    tools = peer.tools()
    for name, arguments in HISTORIC.items():
        assert arguments <= set(tools[name]["inputSchema"]["properties"])


def test_the_words_that_rest_has_for_other_operations_are_no_tools(peer):
    assert not {"get_record", "delete_record"} & set(peer.tools())
    code, message, _ = peer.error({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                   "params": {"name": "get_record", "arguments": {"store": "s", "id": 1}}})
    assert code == -32602 and "'get_record'" in message


def test_every_schema_is_valid_and_an_object(peer):
    for tool in peer.tools().values():
        for kind in ("inputSchema", "outputSchema"):
            Draft202012Validator.check_schema(tool[kind])
            assert tool[kind]["type"] == "object"


def test_annotations_say_what_a_tool_does_to_what_is_stored(peer):
    tools = peer.tools()
    for tool in tools.values():
        hints = tool["annotations"]
        assert set(hints) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
        assert not (hints["readOnlyHint"] and hints["destructiveHint"])
        assert hints["openWorldHint"] is False
        if hints["readOnlyHint"]:
            assert hints["idempotentHint"]
    def those(hint):
        return {name for name, tool in tools.items() if tool["annotations"][hint]}
    assert {"search_vectors", "list_stores", "get_records"} <= those("readOnlyHint")
    assert {"drop_store", "delete_records", "upsert_vector"} <= those("destructiveHint")
    assert not {"create_store", "insert_vector", "sync_store"} & those("destructiveHint")
    assert not {"create_store", "insert_vector"} & those("idempotentHint")


def sample(tool, name, store, compressed):
    """Arguments that a tool with this schema succeeds with, on a store of records 1 to 12."""
    new = not tool["annotations"]["idempotentHint"]
    values = {"store": store, "name": f"{store}-new" if new else store, "new_name": f"{store}-renamed", "id": 99 if new else 1,
              "ids": [1, 2], "dim": 2, "authors": True, "algorithm": "f16", "codec": "f16", "compressed": compressed, "count": 100, "since_ms": 1, "vector": [0.5, -0.25], "vectors": [[0.5, -0.25]], "metadata": {"n": 7}, "backup": f"{store}-backup", "keep": 1000,
              "format": "jsonl", "data": '{"id":99,"vector":[1,2]}', "records": [{"id": 99, "vector": [1, 2]}]}
    wanted = tool["inputSchema"]["required"]
    missing = set(wanted) - set(values)
    assert not missing, f"{name} requires {missing}: give sample() a value"
    arguments = {key: values[key] for key in wanted}
    more = {"update_vector": "metadata", "benchmark_compression": "vector", "prune_backups": "keep",
            "undelete_records": "since_ms"}.get(name)  # one of several is required
    return {**arguments, more: values[more]} if more else arguments


def test_every_tool_answers_what_its_output_schema_says(peer, name):
    tools = peer.tools()
    compressed = peer.call("compress_vector", algorithm="f16", vector=[0.5, -0.25])["compressed"]
    for i, (tool_name, tool) in enumerate(tools.items()):
        store = f"{name}-{i}"
        peer.call("create_store", name=store)
        for record in range(1, 13):
            peer.call("insert_vector", store=store, id=record, vector=[record, 1])
        arguments = sample(tool, tool_name, store, compressed)
        if "backup" in arguments and "store" not in arguments:
            peer.call("backup_store", store=store, backup=arguments["backup"])
        if tool_name == "restore_store":
            peer.call("backup_store", store=store, backup=arguments["backup"])
            arguments["store"] += "-restored"
        Draft202012Validator(tool["inputSchema"]).validate(arguments)
        Draft202012Validator(tool["outputSchema"]).validate(peer.call(tool_name, **arguments))


def options(store):
    """Calls in a row, of a store of strings with all settings: those that answer more, less or other members than the plain ones do."""
    vector = [1, 2, 3, 4]
    search = {"store": store, "vector": vector}
    return [
        ("create_store", {"name": store, "fields": ["topic"], "trash": True, "authors": True, "ttl": 100000, "id_type": "string"}),
        ("describe_store", {"store": store}), ("list_stores", {}), ("store_stats", {"store": store}), ("search_vectors", search),
        ("scroll_records", {"store": store}), ("list_changes", {"store": store}), ("index_status", {"store": store}), ("export_store", {"store": store}),
        ("write_batch", {"store": store, "mode": "insert", "records": [
            {"id": f"r{i}", "vector": [i, 1, 0.5, -2], "metadata": {"topic": "x", "n": i, "deep": {"a": [1, None, True]}}} for i in range(40)]}),
        ("write_batch", {"store": store, "mode": "insert", "partial": True, "records": [{"id": i, "vector": vector} for i in ("r1", "new")]}),
        ("write_batch", {"store": store, "mode": "delete", "records": [{"id": "new"}]}),
        ("upsert_vector", {"store": store, "id": "r1", "vector": vector, "ttl": 5000}), ("update_metadata", {"store": store, "id": "r1", "metadata": {"n": None}}),
        ("get_records", {"store": store, "ids": ["r1", "none"], "vectors": False}), ("delete_records", {"store": store, "ids": ["r2", "none"], "dry_run": True}),
        ("delete_records", {"store": store, "ids": ["r2", "none"]}), ("list_trash", {"store": store}), ("undelete_records", {"store": store, "ids": ["r2"]}),
        ("search_vectors", {**search, "k": 3, "filter": {"topic": "x"}, "metadata": False}), ("search_vectors", {**search, "radius": 0.5}),
        ("search_vectors", {**search, "exact": True}), ("search_batch", {"store": store, "vectors": [vector, [0, 0, 0, 1]], "k": 2, "filter": {"topic": "none"}}),
        ("scroll_records", {"store": store, "limit": 5, "after": "r3", "vectors": False}), ("list_changes", {"store": store, "after": 0, "limit": 5}),
        ("count_records", {"store": store, "filter": {"topic": {"$in": ["x"]}}}), ("create_index", {"store": store}), ("build_index", {"store": store}),
        ("index_status", {"store": store}), ("list_indexes", {}), ("search_vectors", {**search, "ef": 50}), ("set_compression", {"store": store, "codec": "i8"}),
        ("compression_status", {"store": store}), ("describe_store", {"store": store}), ("store_stats", {"store": store}), ("search_vectors", search),
        ("advise_compression", {"store": store}), ("benchmark_compression", {"store": store, "algorithms": ["i8", "f16"]}), ("verify", {"store": store}),
        ("backup_store", {"store": store, "backup": f"{store}-all"}), ("list_backups", {}), ("verify_backup", {"backup": f"{store}-all"}),
        ("restore_store", {"backup": f"{store}-all", "store": f"{store}-again"}), ("describe_store", {"store": f"{store}-again"}),
        ("import_store", {"store": store, "format": "jsonl", "keep_going": True, "data": '{"id":"a","vector":[1,2,3,4]}\n{"bad":1}\n'}),
        ("prune_backups", {"keep": 1000, "dry_run": True}), ("forget_records", {"store": store, "ids": ["r5", "none"]}), ("set_ttl", {"store": store, "ttl": 0}),
        ("set_trash", {"store": store, "on": False}), ("drop_index", {"store": store}), ("index_status", {"store": store}), ("drop_store", {"store": store}),
    ]


def test_tools_with_their_options_answer_what_their_output_schemas_say(peer, name):
    tools = peer.tools()
    for tool, arguments in options(name):
        Draft202012Validator(tools[tool]["inputSchema"]).validate(arguments)
        Draft202012Validator(tools[tool]["outputSchema"]).validate(peer.call(tool, **arguments))


@pytest.mark.parametrize("tool, wrong", [
    ("search_vectors", {"k": 0}), ("search_vectors", {"k": 10001}), ("search_vectors", {"k": "5"}), ("search_vectors", {"k": 1.5}), ("search_vectors", {"other": 1}),
    ("search_vectors", {"filter": "x"}), ("search_vectors", {"exact": 1}), ("get_records", {"ids": []}), ("scroll_records", {"limit": -1}),
    ("export_store", {"format": "csv"}), ("write_batch", {"mode": "merge"}), ("update_metadata", {"metadata": []}),
], ids=str)
def test_what_an_input_schema_forbids_is_refused(peer, store, tool, wrong):
    right = {"search_vectors": {"vector": [1, 2]}, "get_records": {"ids": [1]}, "write_batch": {"mode": "upsert", "records": [{"id": 9, "vector": [1, 2]}]},
             "update_metadata": {"id": 1, "metadata": {}}}.get(tool, {})
    schema = Draft202012Validator(peer.tools()[tool]["inputSchema"])
    assert schema.is_valid({"store": store, **right}) and not schema.is_valid({"store": store, **right, **wrong})
    status, message = peer.fails(tool, store=store, **{**right, **wrong})
    assert status in ("INVALID", "LIMIT") and next(iter(wrong)) in message
    assert peer.call("count_records", store=store)["count"] == 3


def test_a_store_is_filled_and_searched(peer, name):
    created = peer.call("create_store", name=name)
    assert created["name"] == name and created["metric"] == "cosine"
    assert peer.call("insert_vector", store=name, id="doc1", vector=[1.0, 2.0, 3.0],
                     metadata={"title": "Document 1"}) == {"id": "doc1", "version": 1}
    found = peer.call("search_vectors", store=name, vector=[1.1, 2.1, 3.1], k=5)
    assert [hit["id"] for hit in found["results"]] == ["doc1"] and found["complete"] is True
    assert found["results"][0]["metadata"] == {"title": "Document 1"}
    assert peer.call("sync_store", store=name) == {"synced": name}


def test_a_store_is_exported_and_imported_as_text_and_as_base64(peer, store):
    text = peer.call("export_store", store=store)
    assert text["exported"] == 3 and text["base64"] is False
    assert [json.loads(line)["id"] for line in text["data"].splitlines()] == [1, 2, 3]
    peer.call("create_store", name=f"{store}-text", metric="euclidean")
    assert peer.call("import_store", store=f"{store}-text", format="jsonl", data=text["data"])["written"] == 3
    assert peer.call("export_store", store=f"{store}-text") == text
    packed = peer.call("export_store", store=store, format="fvecs")
    assert packed["base64"] is True
    peer.call("create_store", name=f"{store}-packed", metric="euclidean")
    assert peer.call("import_store", store=f"{store}-packed", format="fvecs", data=packed["data"], base64=True, first_id=1)["written"] == 3
    assert peer.call("export_store", store=f"{store}-packed", format="fvecs") == packed
    for wrong, names in ({"data": "?", "base64": True}, "base64"), ({}, "'data' is missing"), ({"data": 1}, "'data'"), ({"data": "{", "base64": 1}, "'base64'"):
        assert names in peer.fails("import_store", store=store, format="jsonl", **wrong)[1]
    assert peer.call("count_records", store=store)["count"] == 3


def test_a_vector_is_compressed_and_decompressed(peer):
    packed = peer.call("compress_vector", codec="f16", vector=[1, 0.5, -2])
    assert packed["algorithm"] == "f16" and packed["compression_ratio"] == 2
    assert peer.call("decompress_vector", compressed=packed["compressed"]) == {"algorithm": "f16", "dim": 3, "vector": [1, 0.5, -2]}
    assert "f16" in [codec["name"] for codec in peer.call("list_codecs")["codecs"]]


def test_a_store_of_bits_counts_how_many_differ(peer, name):
    assert peer.call("create_store", name=name, dim=3, dtype="bit", metric="hamming")["dtype"] == "bit"
    peer.call("insert_vector", store=name, id="a", vector=[1, 0, 1])
    assert peer.call("search_vectors", store=name, vector=[0, 1, 1])["results"][0]["distance"] == 2


def test_numbers_of_a_long_vector_arrive_bit_for_bit(peer, name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    vector = [chance.uniform(-1, 1) * 10 ** chance.randint(-30, 30) for _ in range(784)]
    peer.call("create_store", name=name)
    peer.call("insert_vector", store=name, id=7, vector=vector)
    back = peer.call("get_records", store=name, ids=[7])["records"][0]["vector"]
    assert struct.pack("<784f", *back) == struct.pack("<784f", *vector)


def test_metadata_keeps_its_spelling(peer, store):
    arguments = b'{"store":"%s","id":9,"vector":[1,2],"metadata":{"price":0.10,"big":12345678901234567890.5,"u":"\\u00e9"}}'
    peer.exchange(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"upsert_vector","arguments":'
                  + arguments % store.encode() + b'}}')
    assert b'"price":0.10,"big":12345678901234567890.5' in peer.exchange(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_records","arguments":{"store":"%s","ids":[9]}}}'
        % store.encode())


@pytest.mark.parametrize("tool, arguments, status, says", [
    ("search_vectors", {"vector": [1, 2, 3]}, "INVALID", "3"),
    ("search_vectors", {"vector": [1, "x"]}, "INVALID", "'vector[1]' must be a number"),
    ("search_vectors", {"vector": "no"}, "INVALID", "'vector'"),
    ("search_vectors", {"vector": [1, 1e39]}, "INVALID", "'vector[1]' is beyond the range of float"),
    ("search_vectors", {}, "INVALID", "'vector' is required"),
    ("search_vectors", {"vector": [1, 2], "k": 0}, "INVALID", "'k' must be 1..10000, not 0"),
    ("search_vectors", {"vector": [1, 2], "k": list(range(100))}, "INVALID", "'k' must be an integer"),
    ("search_vectors", {"vector": [1, 2], "limit": 3}, "INVALID", "search_vectors has no argument 'limit'"),
    ("search_vectors", {"vector": [1, 2], "store": "none"}, "NOT_FOUND", "'none'"),
    ("search_vectors", {"vector": [1, 2], "filter": {"n": {"$is": 1}}}, "INVALID", "'$is' of 'n'"),
    ("insert_vector", {"id": 1, "vector": [1, 2]}, "EXISTS", "1"),
    ("insert_vector", {"id": 1.5, "vector": [1, 2]}, "INVALID", "'id'"),
    ("insert_vector", {"id": 4, "vector": [1, 2], "metadata": []}, "INVALID", "'metadata' must be an object"),
    ("upsert_vector", {"id": 1, "vector": [0] * 70000}, "LIMIT", "70000 items"),
    ("update_vector", {"id": 1, "metadata": {}, "if_version": 77}, "CONFLICT", "77"),
    ("upsert_vector", {"id": 1, "vector": [1, 2], "metadata": {"a": [[[]]] * 3}, "zz": None}, "INVALID", "'zz'"),
], ids=lambda value: str(value)[:24])
def test_a_bad_value_is_told_to_the_model(peer, store, tool, arguments, status, says):
    got, message = peer.fails(tool, **{"store": store, **arguments})
    assert got == status and says in message
    assert peer.call("count_records", store=store) == {"count": 3}


def test_arguments_nested_too_deep_are_told_to_the_model(peer, store):
    deep = {}
    for _ in range(70):
        deep = {"d": deep}
    status, message = peer.fails("upsert_vector", store=store, id=1, vector=[1, 2], metadata=deep)
    assert status == "INVALID" and "deep" in message


def test_a_tool_without_arguments_needs_none(peer):
    reply = peer.request("tools/call", {"name": "list_stores"})
    assert reply["result"]["isError"] is False
