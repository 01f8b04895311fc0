"""test_cli.py - each command of `evdb` as a process: what it prints, what it refuses, how it exits."""
import os
import re
import shutil
import signal
import subprocess

import pytest
from evdb_command import (BINARY, CONFLICT, CORRUPT, DENIED, EXISTS, INVALID, IO, NOT_FOUND, ROOT, USAGE)

COMMANDS = ["create", "ls", "describe", "rename", "rm-store", "import", "export", "get", "put", "update", "metadata", "rm", "search",
            "count", "stats", "verify", "sync", "index build", "index status",
            "index create", "index list", "index estimate", "index drop", "index rebuild", "index pause", "index resume", "index cancel",
            "compress bench", "compress codecs", "compress insert", "compress set", "compress status", "compress vector", "decompress", "advise",
             "changes", "mcp", "scroll", "ttl", "trash", "trash set", "trash empty", "undelete", "authors", "forget", "client add", "client ls", "client rm",
             "client rotate", "client quota", "client set-quota", "signing ls", "signing rotate", "token revoke", "audit ls", "audit verify",
            "key add", "key ls", "key rm", "user add", "user ls", "user passwd", "user rm",
             "backup", "backups", "backups verify", "backups rm", "backups prune", "restore", "repair"]


# Stores

def test_create_shows_the_new_store(evdb):
    reply = evdb.json("create", "docs", "--dim", "3", "--metric", "l2", "--fields", "lang,year", "--fields", "tag")
    assert reply["name"] == "docs" and reply["dim"] == 3 and reply["metric"] == "euclidean"
    assert reply["dtype"] == "f32" and reply["fields"] == ["lang", "year", "tag"]
    assert reply == evdb.json("describe", "docs")


@pytest.mark.parametrize("dtype, vector", [("f16", "[0.5, -2, 1]"), ("i8", "[100, -2, 1]"), ("bit", "[0, 1, 1]")])
def test_a_store_of_other_elements_goes_through_a_file_into_another(evdb, dtype, vector):
    assert evdb.json("create", "docs", "--dtype", dtype, "--metric", "hamming")["dtype"] == dtype
    evdb.text("put", "docs", "a", "--vector", vector)
    assert "holds" in evdb.fails(INVALID, "put", "docs", "b", "--vector", "[1, 2, 65505]")
    for file in ("out.json", "out.jsonl"):
        evdb.text("export", "docs", file)
        evdb.text("import", file[4:], file, "--dtype", dtype, "--metric", "hamming")
        assert evdb.json("describe", file[4:])["dtype"] == dtype
        assert evdb.json("get", file[4:], "a")["records"] == evdb.json("get", "docs", "a")["records"]
    assert evdb.json("search", "docs", "--vector", vector)["results"][0]["distance"] == 0
    assert evdb.json("verify")["problems"] == 0


def test_ls_is_a_table_of_stores(docs):
    docs.text("create", "more")
    lines = docs.text("ls").splitlines()
    assert lines[0].split() == ["name", "dim", "metric", "dtype", "id_type", "created_ms"]
    assert [line.split()[0] for line in lines[1:]] == ["docs", "more"]
    assert [store["name"] for store in docs.json("ls")["stores"]] == ["docs", "more"]


def test_rename_keeps_the_records(docs):
    assert docs.json("rename", "docs", "articles") == {"name": "articles"}
    assert docs.text("count", "articles") == "3\n"
    docs.fails(NOT_FOUND, "count", "docs")


def test_rename_onto_another_store_is_refused(docs):
    docs.text("create", "other")
    assert "'other'" in docs.fails(EXISTS, "rename", "docs", "other")


def test_rm_store_removes_it(docs):
    assert docs.json("rm-store", "docs") == {"dropped": "docs"}
    assert docs.json("ls") == {"stores": []}
    docs.fails(NOT_FOUND, "rm-store", "docs")


def test_a_store_cannot_be_created_twice(docs):
    assert "'docs'" in docs.fails(EXISTS, "create", "docs")


@pytest.mark.parametrize("name", ["Upper", "", "-x", "a b", "x" * 65, "../up", "ä"])
def test_a_bad_store_name_is_refused(evdb, name):
    evdb.fails(INVALID, "create", "--", name)


# Records

def test_put_and_get_return_the_same_record(docs):
    assert docs.json("put", "docs", "d", "--vector", "[0.1,-2e-3,3]", "--metadata", '{"n":1.10,"deep":{"x":[null]}}') == {
        "id": "d", "version": 4}
    assert docs.json("get", "docs", "d") == {
        "records": [{"id": "d", "version": 4, "vector": [0.1, -2e-3, 3.0], "metadata": {"n": 1.1, "deep": {"x": [None]}}}],
        "missing": []}


def test_integer_ids_come_back_as_integers(evdb):
    evdb.text("create", "n")
    evdb.text("put", "n", "-7", "--vector", "[1]")
    assert evdb.json("get", "n", "-7")["records"][0]["id"] == -7
    assert evdb.json("describe", "n")["id_type"] == "integer"
    assert "integer" in evdb.fails(INVALID, "put", "n", "007", "--vector", "[1]")


def test_put_replaces_unless_told_to_insert(docs):
    docs.text("put", "docs", "a", "--vector", "[7,7,7]")
    assert docs.json("get", "docs", "a")["records"][0]["metadata"] == {}
    assert "'a'" in docs.fails(EXISTS, "put", "docs", "a", "--vector", "[1,1,1]", "--insert")
    assert docs.json("get", "docs", "a")["records"][0]["vector"] == [7, 7, 7]


def test_members_of_metadata_change_one_by_one(docs):
    docs.text("update", "docs", "a", "--metadata", '{"lang":"en","n":1.50}')
    assert docs.json("metadata", "docs", "a", '{"lang":null,"k":[1]}')["metadata"] == {"n": 1.5, "k": [1]}
    assert '"n":1.50' in docs.text("export", "docs", "-", "--format", "jsonl")
    assert docs.json("metadata", "docs", "a", '{"k":2}', "--replace")["metadata"] == {"k": 2}
    docs.fails(CONFLICT, "metadata", "docs", "a", "{}", "--if-version", "1")
    docs.fails(NOT_FOUND, "metadata", "docs", "zz", "{}")


def test_update_keeps_the_other_part(docs):
    docs.text("update", "docs", "a", "--metadata", '{"lang":"de"}')
    record = docs.json("get", "docs", "a")["records"][0]
    assert record["vector"] == [1, 2, 3] and record["metadata"] == {"lang": "de"}
    docs.fails(CONFLICT, "update", "docs", "a", "--vector", "[1,1,1]", "--if-version", "1")
    docs.fails(INVALID, "update", "docs", "a")
    docs.fails(NOT_FOUND, "update", "docs", "zz", "--metadata", "{}")


def test_get_reports_what_is_missing_and_shows_the_rest(docs):
    done = docs.run("get", "docs", "a", "zz")
    assert done.returncode == NOT_FOUND and "'zz'" in done.stderr
    assert b'{"lang":"en"}' in done.stdout


def test_get_shortens_long_vectors_for_people_only(evdb):
    evdb.text("create", "long")
    evdb.text("put", "long", "a", "--vector", str(list(range(1, 21))))
    assert "... 20 numbers]" in evdb.text("get", "long", "a")
    assert len(evdb.json("get", "long", "a")["records"][0]["vector"]) == 20
    assert "vector" not in evdb.json("get", "long", "a", "--no-vectors")["records"][0]


def test_scroll_goes_through_a_store_page_by_page(docs):
    seen, after = [], []
    while True:
        page = docs.json("scroll", "docs", "--limit", "2", "--no-vectors", *after)
        seen += [record["id"] for record in page["records"]]
        assert not any("vector" in record for record in page["records"])
        if "next" not in page:
            break
        after = ["--after", page["next"]]
    assert seen == ["a", "b", "c"]
    assert docs.text("scroll", "docs", "--limit", "1").splitlines()[-1].split() == ["next", "a"]


def test_rm_deletes_and_reports_what_was_missing(docs):
    assert docs.json("rm", "docs", "a", "b") == {"deleted": 2, "missing": []}
    assert "'a'" in docs.fails(NOT_FOUND, "rm", "docs", "a")
    assert docs.text("count", "docs") == "1\n"


def test_vectors_come_from_files_and_standard_input(docs):
    docs.write("v.json", "[5,5,5]\n")
    docs.text("put", "docs", "f", "--vector", "@v.json")
    docs.text("put", "docs", "s", "--vector=-", stdin=b"[6,6,6]")
    vectors = [record["vector"] for record in docs.json("get", "docs", "f", "s")["records"]]
    assert vectors == [[5, 5, 5], [6, 6, 6]]
    docs.fails(NOT_FOUND, "put", "docs", "g", "--vector", "@none.json")


# Search

def test_search_lists_the_nearest_first(docs):
    reply = docs.json("search", "docs", "--vector", "[1,2,3]", "--k", "2")
    assert [hit["id"] for hit in reply["results"]] == ["a", "b"]
    assert reply["results"][0] == {"id": "a", "distance": 0, "score": 1, "metadata": {"lang": "en"}}
    assert reply["results"][1]["distance"] == 1 and reply["results"][1]["score"] == 0.5
    assert reply["complete"] is True
    assert docs.text("search", "docs", "--vector", "[1,2,3]", "--k", "2").splitlines() == [
        "id  distance  score  metadata", 'a          0      1  {"lang":"en"}', "b          1    0.5  {}"]


def test_search_by_id_uses_that_records_vector(docs):
    hits = docs.json("search", "docs", "--id", "b", "--k", "2")["results"]
    assert [hit["id"] for hit in hits] == ["b", "a"]
    docs.fails(NOT_FOUND, "search", "docs", "--id", "zz")
    docs.fails(USAGE, "search", "docs", "--id", "b", "--vector", "[1,2,3]")


def test_search_within_a_radius(docs):
    reply = docs.json("search", "docs", "--vector", "[1,2,3]", "--radius", "1.5", "--no-metadata")
    assert reply == {"results": [{"id": "a", "distance": 0, "score": 1}, {"id": "b", "distance": 1, "score": 0.5}],
                     "complete": True}
    assert docs.json("search", "docs", "--vector", "[1,2,3]", "--radius", "99", "--k", "1")["stop"] == "limit"


def test_search_in_an_empty_store_finds_nothing(evdb):
    evdb.text("create", "empty", "--dim", "2")
    assert evdb.json("search", "empty", "--vector", "[1,2]") == {"results": [], "complete": True}
    assert evdb.text("search", "empty", "--vector", "[1,2]") == ""


@pytest.mark.parametrize("k", ["0", "10001", "-1"])
def test_k_out_of_range_is_refused(docs, k):
    assert "1..10000" in docs.fails(INVALID, "search", "docs", "--vector", "[1,2,3]", "--k", k)


def test_a_filter_chooses_by_metadata(docs):
    every = docs.json("search", "docs", "--vector", "[1,2,3]")["results"]
    found = docs.json("search", "docs", "--vector", "[1,2,3]", "--filter", '{"lang":"en"}')["results"]
    assert found == [hit for hit in every if hit["metadata"].get("lang") == "en"] and 0 < len(found) < len(every)
    assert docs.text("count", "docs", "--filter", '{"lang":"en"}') == f"{len(found)}\n"
    assert "$like" in docs.fails(INVALID, "search", "docs", "--vector", "[1,2,3]", "--filter", '{"lang":{"$like":"e"}}')


# Upkeep

def test_stats_count_and_sync(docs):
    stats = docs.json("stats", "docs")
    assert stats["records"] == 3 and stats["sequence"] == 3 and stats["disk_bytes"] > 0
    assert docs.json("count", "docs") == {"count": 3}
    assert docs.json("sync", "docs") == {"synced": "docs"}


def test_changes_continue_behind_a_number(docs):
    docs.text("rm", "docs", "b")
    assert docs.json("changes", "docs", "--after", "2") == {
        "changes": [{"sequence": 3, "kind": "put", "id": "c"}, {"sequence": 4, "kind": "delete", "id": "b"}],
        "last": 4, "horizon": 0}
    assert len(docs.json("changes", "docs", "--limit", "1")["changes"]) == 1


def test_verify_finds_a_sound_database_sound(docs):
    assert docs.json("verify") == {"stores": 1, "records": 3, "problems": 0, "found": []}
    assert "problems  0" in docs.text("verify", "docs")


def test_a_flipped_byte_of_a_vector_is_found_and_never_returned(evdb):
    vector = [1234.5] * 64
    evdb.text("create", "docs")
    evdb.text("put", "docs", "a", "--vector", str(vector))
    evdb.text("sync", "docs")
    (rows,) = evdb.path("data").glob("stores/*/rows.db")
    content = bytearray(rows.read_bytes())
    place = content.find(bytes.fromhex("00509a44") * 64)
    assert place > 0
    content[place + 2] ^= 1
    rows.write_bytes(content)
    done = evdb.run("verify", "docs", "--json")
    assert done.returncode == CORRUPT and b'"problems":0' not in done.stdout and "problem" in done.stderr
    evdb.fails(CORRUPT, "get", "docs", "a")


# Bad input

@pytest.mark.parametrize("vector, says", [
    ("[1,2]", "2 elements"), ("[1,2,NaN]", "NaN"), ("[1,2,1e39]", "vector[2]"), ('[1,"x",3]', "vector[1]"),
    ("[]", "vector"), ("{}", "must be an array"), ("[1,2,", "malformed JSON"), ("[1,2,3]]", "malformed JSON"), ("", "malformed JSON"),
])
def test_a_bad_vector_is_refused_and_changes_nothing(docs, vector, says):
    assert says in docs.fails(INVALID, "put", "docs", "x", "--vector", vector)
    assert docs.text("count", "docs") == "3\n"


def test_a_zero_vector_is_refused_under_cosine(evdb):
    evdb.text("create", "c")
    evdb.fails(INVALID, "put", "c", "x", "--vector", "[0,0]")


@pytest.mark.parametrize("metadata", ["[]", "1", "{", '{"a":1,"a":2}', '{"a":NaN}'])
def test_bad_metadata_is_refused(docs, metadata):
    docs.fails(INVALID, "put", "docs", "x", "--vector", "[1,2,3]", "--metadata", metadata)


def test_metadata_may_be_63_deep_and_no_deeper(docs):
    docs.text("put", "docs", "x", "--vector", "[1,2,3]", "--metadata", '{"m":' + "[" * 62 + "]" * 62 + "}")
    assert docs.json("get", "docs", "x")["missing"] == []
    assert "deep" in docs.fails(INVALID, "put", "docs", "y", "--vector", "[1,2,3]", "--metadata",
                                '{"m":' + "[" * 63 + "]" * 63 + "}")
    docs.fails(INVALID, "put", "docs", "y", "--vector", "[1,2,3]", "--metadata", '{"m":' + "[" * 10000 + "]" * 10000 + "}")


def test_an_id_may_have_512_bytes_and_no_more(docs):
    docs.text("put", "docs", "i" * 512, "--vector", "[1,2,3]")
    docs.fails(INVALID, "put", "docs", "i" * 513, "--vector", "[1,2,3]")
    docs.fails(INVALID, "put", "docs", "", "--vector", "[1,2,3]")
    docs.fails(INVALID, "put", "docs", b"\xff".decode("utf-8", "surrogateescape"), "--vector", "[1,2,3]")


def test_an_unknown_store_is_named(docs):
    for words in (["describe", "zz"], ["count", "zz"], ["get", "zz", "a"], ["put", "zz", "a", "--vector", "[1]"],
                  ["search", "zz", "--vector", "[1]"], ["export", "zz", "-", "--format", "jsonl"], ["verify", "zz"]):
        assert "'zz'" in docs.fails(NOT_FOUND, *words), words


@pytest.mark.parametrize("words", [
    [], ["nope"], ["ls", "x"], ["ls", "--zz"], ["search"], ["search", "docs"], ["put", "docs", "a"], ["get", "docs"],
    ["search", "docs", "--vector"], ["search", "docs", "--vector", "[1]", "--k", "ten"], ["ls", "-d"],
    ["search", "docs", "--vector", "[1]", "--radius", "nan"], ["put", "docs", "a", "--vector", "[1]", "--insert=yes"],
    ["create", "docs", "--m", "99999999999999999999"], ["import", "docs"],
])
def test_wrong_usage_is_told_apart_from_bad_data(docs, words):
    docs.fails(USAGE, *words)


# The database's directory

def test_commands_that_read_create_nothing(evdb):
    for words in (["ls"], ["count", "x"], ["verify"], ["put", "x", "a", "--vector", "[1]"], ["export", "x", "x.json"]):
        evdb.fails(NOT_FOUND, *words)
    assert os.listdir(evdb.directory) == []


def test_the_directory_comes_from_the_option_else_the_environment(evdb):
    evdb.text("create", "one", "-d", "first")
    evdb.text("create", "two", env={"EVDB_DATA": "second"})
    assert [s["name"] for s in evdb.json("ls", "-d", "first")["stores"]] == ["one"]
    assert [s["name"] for s in evdb.json("ls", env={"EVDB_DATA": "second"})["stores"]] == ["two"]
    assert evdb.json("ls", "-d", "first", env={"EVDB_DATA": "second"}) == evdb.json("ls", "-d", "first")
    assert sorted(os.listdir(evdb.directory)) == ["first", "second"]


def test_a_foreign_directory_is_refused_and_left_alone(evdb):
    evdb.path("data").mkdir()
    evdb.write("data/letter.txt", "dear")
    evdb.fails(INVALID, "create", "docs")
    assert os.listdir(evdb.path("data")) == ["letter.txt"]


def test_a_file_is_no_database(evdb):
    evdb.write("data", "x")
    assert evdb.run("create", "docs").returncode in (INVALID, IO)
    assert evdb.path("data").read_text() == "x"


def test_an_unwritable_directory_is_refused(evdb):
    evdb.path("locked").mkdir(mode=0o555)
    unprivileged = []
    if os.geteuid() == 0:  # who may write everywhere, unless the right to is taken away
        unprivileged = ["setpriv", "--bounding-set=-dac_override"]
        if not shutil.which("setpriv"):
            pytest.skip("running as root, and setpriv is not installed")
    done = subprocess.run([*unprivileged, BINARY, "create", "docs", "-d", "locked/data"], cwd=evdb.directory,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == DENIED and "locked/data" in done.stderr


def test_a_missing_parent_directory_is_refused(evdb):
    evdb.fails(NOT_FOUND, "create", "docs", "-d", "none/data")


# Help, output, and being a good process

def test_help_opens_with_an_example(evdb):
    assert evdb.text("--help").startswith("Example:\n  evdb create ")
    for name in COMMANDS:
        assert evdb.text(*name.split(), "--help").startswith(f"Example:\n  evdb {name}")
        assert f"\n  {name} " in evdb.text("--help")


def test_commands_of_two_words_have_help_of_their_own(evdb):
    shown = evdb.text("client", "--help")
    assert re.findall(r"^  (client [a-z-]+) ", shown, re.M) == ["client add", "client ls", "client rm", "client rotate", "client quota",
                                                                    "client set-quota"]
    assert "'client'" in evdb.fails(USAGE, "client")
    assert "'client put'" in evdb.fails(USAGE, "client", "put")
    evdb.fails(USAGE, "client add")


def test_help_lists_every_option_with_range_and_default(evdb):
    assert re.search(r"--k N +How many neighbours, at most\. 1\.\.10000, default 10\.\n", evdb.text("search", "--help"))
    assert "cosine, euclidean, manhattan" in evdb.text("create", "--help")


def test_version(evdb):
    version = re.search(r'EVDB_VERSION "(.*)"', (ROOT / "include/evdb/version.h").read_text()).group(1)
    assert evdb.text("--version").startswith(f"evdb {version} ")


def test_exit_statuses_are_in_help_and_manual(evdb):
    codes = re.findall(r"^EXIT\(\w+, +(\d+),", (ROOT / "server/op/exit.def").read_text(), re.M)
    manual = (ROOT / "bindings/cli/evdb.1").read_text().split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    assert re.findall(r"^\.It (\d+)$", manual, re.M) == codes
    assert re.findall(r"^  (\d+) ", evdb.text("--help").split("Exit status:")[1], re.M) == codes


def test_the_manual_names_every_command_and_has_no_lint():
    manual = ROOT / "bindings/cli/evdb.1"
    pattern = r"^\.It Ic ((?:audit |client |compress |index |key |signing |token |trash (?=set|empty)|user |backups (?=verify|rm|prune))?\S+)"
    assert sorted(re.findall(pattern, manual.read_text(), re.M)) == sorted(COMMANDS)
    try:
        lint = subprocess.run(["mandoc", "-Tlint", manual], capture_output=True, text=True).stdout
    except FileNotFoundError:
        pytest.skip("mandoc is not installed")
    assert [line for line in lint.splitlines() if "referenced manual not found" not in line] == []


def test_colour_is_for_terminals_and_can_be_refused(docs):
    assert "\x1b[1m" in docs.on_terminal("ls")[0]
    assert "\x1b[31m" in docs.on_terminal("count", "zz")[0]
    assert "\x1b" not in docs.on_terminal("ls", env={"NO_COLOR": "1"})[0]
    assert "\x1b" not in docs.text("ls")


def test_control_characters_do_not_reach_a_table(docs):
    docs.text("put", "docs", "e\x1b[2J\nvil", "--vector", "[1,2,3]")
    table = docs.text("get", "docs", "e\x1b[2J\nvil")
    assert "\x1b" not in table and len(table.splitlines()) == 2
    assert docs.json("get", "docs", "e\x1b[2J\nvil")["records"][0]["id"] == "e\x1b[2J\nvil"


def test_import_draws_progress_on_a_terminal_only(docs):
    docs.write("in.jsonl", '{"id":"p","vector":[1,2,3]}\n')
    assert "records" in docs.on_terminal("import", "docs", "in.jsonl", env={"NO_COLOR": "1"})[0]
    assert docs.run("import", "docs", "in.jsonl", "--upsert").stderr == ""


def test_a_full_disk_behind_standard_output_is_reported(docs):
    with open("/dev/full", "wb") as full:
        assert docs.run("ls", stdout=full).returncode == IO
        assert docs.run("export", "docs", "-", "--format", "jsonl", stdout=full).returncode == IO


def test_a_broken_pipe_ends_quietly(docs):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        done = docs.run("ls", stdout=nobody)
    assert done.returncode == -signal.SIGPIPE and done.stderr == ""
