"""test_completion.py - completion/complete: names of stores and ids of records that begin as has been typed."""
import random

import pytest

INVALID_PARAMS = -32602
STORE = {"type": "ref/resource", "uri": "evdb://stores/{name}"}
RECORD = {"type": "ref/resource", "uri": "evdb://stores/{name}/records/{id}"}


def complete(peer, ref, argument, value, /, **known):
    params = {"ref": ref, "argument": {"name": argument, "value": value}}
    if known:
        params["context"] = {"arguments": known}
    completion = peer.result("completion/complete", params)["completion"]
    assert len(completion["values"]) <= 100 and len(set(completion["values"])) == len(completion["values"])
    assert completion["hasMore"] == (completion.get("total", 101) > len(completion["values"]))
    return completion


def values(*arguments, **known):
    return complete(*arguments, **known)["values"]


def test_names_of_stores_are_completed(each_peer, name):
    names = [f"{name}-{letter}" for letter in "abc"]
    for one in names:
        each_peer.call("create_store", name=one)
    for ref, argument in ((STORE, "name"), (RECORD, "name"), ({"type": "ref/prompt", "name": "recall"}, "store"), ({"type": "ref/prompt", "name": "tidy_memory"}, "store")):
        assert complete(each_peer, ref, argument, f"{name}-") == {"values": names, "total": 3, "hasMore": False}
        assert values(each_peer, ref, argument, names[1]) == [names[1]]
        assert complete(each_peer, ref, argument, f"{name}-%") == {"values": [], "total": 0, "hasMore": False}
        assert values(each_peer, ref, argument, "no such") == []


def test_many_stores_are_counted_and_a_hundred_told(stdio):
    peer = stdio()
    for i in range(101):
        peer.call("create_store", name=f"s{i:03}")
        if i == 99:
            assert complete(peer, STORE, "name", "s") == {"values": [f"s{i:03}" for i in range(100)], "total": 100, "hasMore": False}
    assert complete(peer, STORE, "name", "s") == {"values": [f"s{i:03}" for i in range(100)], "total": 101, "hasMore": True}


def fill(peer, name, ids, kind):
    peer.call("create_store", name=name, id_type=kind)
    for at in range(0, len(ids), 1000):
        peer.call("write_batch", store=name, records=[{"id": id, "vector": [1, 2]} for id in ids[at:at + 1000]])


def judge(peer, store, ids, prefix):
    """The answer against a look at all ids."""
    got, wanted = complete(peer, RECORD, "id", prefix, name=store), [str(id) for id in ids if str(id).startswith(prefix)]
    assert len(got["values"]) == min(len(wanted), 100) and set(got["values"]) <= set(wanted), prefix
    assert got["hasMore"] == (len(wanted) > 100)
    if not got["hasMore"]:
        assert got["total"] == len(wanted)
    if prefix in wanted:
        assert got["values"][0] == prefix


def test_integers_are_completed_by_their_digits(peer, name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    edges = [0, 1, -1, 9, 10, 99, 100, -9, -10, -99, -100, 2**63 - 1, -2**63, 2**63 - 2, -2**63 + 1, 9 * 10**18, -9 * 10**18, 922337203685477580, -922337203685477580]
    ids = list({*edges, *range(-30, 250), *(chance.randrange(-2**63, 2**63) >> chance.randrange(64) for _ in range(300))})
    fill(peer, name, ids, "integer")
    prefixes = ["", "-", "0", "-0", "00", "007", "1", "-1", "9", "-9", "92", "-92", str(2**63 - 1), str(-2**63), "922337203685477580", "-922337203685477580",
                str(2**63), "99999999999999999999", "x", " 1", "+1", "1.0", "1e1", "--1", "-" * 600, "1" * 600]
    for prefix in [*prefixes, *(str(chance.choice(ids))[:chance.randrange(1, 6)] for _ in range(40))]:
        judge(peer, name, ids, prefix)


def test_strings_are_completed_by_their_characters(peer, name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    alphabet = "ab/é日%-1"
    ids = list({"42", "4", "a", "x" * 512, *("".join(chance.choice(alphabet) for _ in range(chance.randrange(1, 8))) for _ in range(800))})
    fill(peer, name, ids, "string")
    prefixes = ["", "4", "42", "420", "a", "b", "é", "日", "x" * 512, "x" * 513, "x" * 5000, "z", "%", "\U0010ffff"]
    for prefix in [*prefixes, *(chance.choice(ids)[:chance.randrange(1, 4)] for _ in range(40))]:
        judge(peer, name, ids, prefix)


def test_ids_need_a_store_that_is_there(each_peer, name):
    nothing = {"values": [], "total": 0, "hasMore": False}
    assert complete(each_peer, RECORD, "id", "") == nothing
    assert complete(each_peer, RECORD, "id", "", name=name) == nothing
    for wrong in 5, None, ["x"], {"a": 1}, "", "../x", "x" * 5000:
        assert complete(each_peer, RECORD, "id", "", name=wrong) == nothing
    each_peer.call("create_store", name=name)
    assert complete(each_peer, RECORD, "id", "", name=name) == nothing  # nothing has decided what its ids are
    each_peer.call("insert_vector", store=name, id=1, vector=[1, 2])
    assert values(each_peer, RECORD, "id", "", name=name) == ["1"] == values(each_peer, RECORD, "id", "1", store=name)


def test_what_cannot_be_known_has_no_values(each_peer):
    assert complete(each_peer, {"type": "ref/prompt", "name": "recall"}, "question", "w") == {"values": [], "total": 0, "hasMore": False}


@pytest.mark.parametrize("params, says", [
    (None, "'params.ref.type'"), ({}, "'params.ref.type'"), ({"ref": 5}, "'params.ref.type'"), ({"ref": {"type": "ref/tool", "name": "x"}}, "'params.ref.type'"),
    ({"ref": {"type": "ref/prompt"}}, "'params.ref.name'"), ({"ref": {"type": "ref/resource", "name": "x"}}, "'params.ref.uri'"),
    ({"ref": {"type": "ref/prompt", "name": "recall"}}, "'params.argument'"), ({"ref": STORE, "argument": 5}, "'params.argument'"),
    ({"ref": STORE, "argument": {"name": "name"}}, "'params.argument'"), ({"ref": STORE, "argument": {"name": "name", "value": 5}}, "'params.argument'"),
    ({"ref": {"type": "ref/prompt", "name": "none"}, "argument": {"name": "store", "value": ""}}, "'none'"),
    ({"ref": {"type": "ref/prompt", "name": "recall"}, "argument": {"name": "none", "value": ""}}, "'none'"),
    ({"ref": {"type": "ref/resource", "uri": "evdb://none/{name}"}, "argument": {"name": "name", "value": ""}}, "evdb://none/{name}"),
    ({"ref": {"type": "ref/resource", "uri": "evdb://stores/docs"}, "argument": {"name": "name", "value": ""}}, "evdb://stores/docs"),
    ({"ref": STORE, "argument": {"name": "id", "value": ""}}, "'id'"), ({"ref": STORE, "argument": {"name": "store", "value": ""}}, "'store'"),
    ({"ref": RECORD, "argument": {"name": "vectors", "value": ""}}, "'vectors'"), ({"ref": RECORD, "argument": {"name": "", "value": ""}}, "''"),
    ({"ref": RECORD, "argument": {"name": "id}" + "x" * 200, "value": ""}}, "no argument"),
], ids=lambda value: str(value)[:70])
def test_what_is_not_there_to_complete_is_refused(stdio, params, says):
    code, message, _ = stdio().refuses("completion/complete", params)
    assert code == INVALID_PARAMS and says in message
