"""test_files.py - import and export through the command: nothing lost, nothing half done."""
import gzip
import json
import os
import signal
import stat
import struct
import subprocess

import numpy as np
import pytest
from evdb_command import BINARY, EXISTS, INVALID, NOT_FOUND, OK, UNSUPPORTED, USAGE

# float32 bit patterns that careless printing loses: denormals, -0, the largest, neighbours of 1 and of 0.1.
EDGES = np.array([0x00000001, 0x80000000, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800001, 0x3dcccccd],
                 dtype=np.uint32).view(np.float32)


@pytest.fixture
def rich(evdb):
    """Store `rich`: 300 random vectors and the edge cases, ids and metadata of every kind."""
    rng = np.random.default_rng()
    bits = rng.integers(0, 2**32, size=(300, 8), dtype=np.uint64).astype(np.uint32)
    vectors = bits.view(np.float32)
    vectors[~np.isfinite(vectors)] = 1.5
    vectors = np.vstack([vectors, EDGES])
    lines = []
    for i, vector in enumerate(vectors):
        identity = f"é \"{i}\"\n" if i % 2 else f"id-{i}"
        metadata = {"n": i, "real": i / 7, "text": "☃ \u0001 \\", "none": None, "deep": [[{}], []]}
        lines.append(json.dumps({"id": identity, "vector": [float(x) for x in vector], "metadata": metadata}))
    evdb.text("import", "rich", "-", "--format", "jsonl", "--metric", "euclidean", stdin="\n".join(lines).encode())
    return evdb


def records(evdb, store):
    """Everything in a store, with each vector as its bytes."""
    lines = evdb.text("export", store, "-", "--format", "jsonl").splitlines()
    return [(r["id"], np.array(r["vector"], dtype=np.float32).tobytes(), r["metadata"]) for r in map(json.loads, lines)]


def jsonl(count, bad=None):
    lines = ['{"id":%d,"vector":[%d,1]}' % (i, i) for i in range(1, count + 1)]
    for line, text in (bad or {}).items():
        lines[line - 1] = text
    return "\n".join(lines) + "\n"


# Round trips

@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_text_round_trip_gives_back_the_same_records(rich, form):
    rich.text("export", "rich", f"out.{form}")
    rich.text("import", "copy", f"out.{form}", "--metric", "euclidean")
    assert records(rich, "copy") == records(rich, "rich")
    assert rich.json("verify")["problems"] == 0
    rich.text("export", "copy", f"again.{form}")
    if form == "jsonl":  # the JSON document names its store
        assert rich.path("again.jsonl").read_bytes() == rich.path("out.jsonl").read_bytes()


@pytest.mark.parametrize("form", ["npy", "fvecs"])
def test_a_binary_round_trip_with_companion_gives_back_the_same_records(rich, form):
    rich.text("export", "rich", f"out.{form}", "--companion", "ids.jsonl")
    rich.text("import", "copy", f"out.{form}", "--companion", "ids.jsonl", "--metric", "euclidean")
    assert records(rich, "copy") == records(rich, "rich")


def test_numpy_reads_what_is_exported_and_the_other_way_round(rich):
    rich.text("export", "rich", "out.npy")
    exported = np.load(rich.path("out.npy"))
    assert exported.dtype == np.float32
    assert exported.tobytes() == b"".join(vector for _, vector, _ in records(rich, "rich"))
    np.save(rich.path("in.npy"), exported)
    rich.text("import", "numbered", "in.npy", "--first-id", "-5", "--metric", "euclidean")
    loaded = records(rich, "numbered")
    assert [r[0] for r in loaded] == list(range(-5, len(exported) - 5))
    assert b"".join(r[1] for r in loaded) == exported.tobytes()


def test_fvecs_bytes_are_what_the_format_says(evdb):
    evdb.write("in.fvecs", struct.pack("<i2fi2f", 2, 1, 2, 2, 3, 4))
    evdb.text("import", "s", "in.fvecs")
    evdb.text("export", "s", "out.fvecs")
    assert evdb.path("out.fvecs").read_bytes() == evdb.path("in.fvecs").read_bytes()


def test_bvecs_bytes_are_what_the_format_says(evdb):
    evdb.write("in.bvecs", struct.pack("<i2Bi2B", 2, 0, 255, 2, 3, 4))
    evdb.text("import", "s", "in.bvecs", "--metric", "l2")
    evdb.text("export", "s", "out.bvecs")
    assert evdb.path("out.bvecs").read_bytes() == evdb.path("in.bvecs").read_bytes()
    evdb.text("put", "s", "9", "--vector", "[1,0.5]")
    assert "record 9" in evdb.fails(INVALID, "export", "s", "out.bvecs")
    assert evdb.path("out.bvecs").read_bytes() == evdb.path("in.bvecs").read_bytes()


def test_a_json_export_takes_the_properties_of_its_store_along(evdb):
    evdb.text("create", "s", "--metric", "manhattan", "--id-type", "string")
    evdb.text("put", "s", "1", "--vector", "[1,2]")
    evdb.text("export", "s", "s.json")
    evdb.text("import", "copy", "s.json")
    assert {k: evdb.json("describe", "copy")[k] for k in ("metric", "dim", "id_type")} == {
        "metric": "manhattan", "dim": 2, "id_type": "string"}
    evdb.text("import", "other", "s.json", "--metric", "l2")
    assert evdb.json("describe", "other")["metric"] == "euclidean"
    document = json.loads(evdb.path("s.json").read_text())
    assert document["vectors"] == [{"id": "1", "vector": [1, 2], "metadata": {}}]


def test_a_json_export_takes_the_name_of_a_custom_metric_along(evdb):
    evdb.text("create", "s", "--metric", "custom", "--metric-name", "weighted")
    evdb.text("put", "s", "1", "--vector", "[1,2]")
    assert "'weighted'" in evdb.fails(UNSUPPORTED, "search", "s", "--vector", "[1,2]")
    evdb.text("export", "s", "s.json")
    evdb.text("import", "copy", "s.json")
    evdb.text("import", "other", "s.json", "--metric", "l2")
    shown = {store["name"]: (store["metric"], store.get("metric_name")) for store in evdb.json("ls")["stores"]}
    assert shown == {"s": ("custom", "weighted"), "copy": ("custom", "weighted"), "other": ("euclidean", None)}


def test_a_bare_json_array_is_imported(evdb):
    evdb.write("a.json", '[{"id":"x","vector":[1,2],"metadata":{"a":1}},\n {"id":"y","vector":[2,1]}]')
    assert evdb.json("import", "s", "a.json") == {"written": 2, "skipped": 0}
    assert evdb.text("import", "one", "-", "--format", "json", stdin=b'[{"id":1,"vector":[1]}]') == (
        "imported 1 record into 'one'\n")


def test_export_flows_into_import_through_a_pipe(rich):
    shell = subprocess.run(f"{BINARY} export rich - --format jsonl | {BINARY} import copy - --format jsonl --metric l2",
                           shell=True, cwd=rich.directory, capture_output=True, text=True, timeout=60)
    assert shell.returncode == OK, shell.stderr
    assert records(rich, "copy") == records(rich, "rich")


def test_a_fifo_can_be_imported(evdb):
    os.mkfifo(evdb.path("fifo"))
    feeder = subprocess.Popen(["sh", "-c", "printf '{\"id\":1,\"vector\":[1]}' > fifo"], cwd=evdb.directory)
    assert evdb.json("import", "s", "fifo", "--format", "jsonl") == {"written": 1, "skipped": 0}
    assert feeder.wait(60) == 0


# Bad files

@pytest.mark.parametrize("bad, status", [
    ('{"id":1', INVALID), ('{"id":40000,"vector":[1,2,3]}', INVALID), ('{"id":40000,"vector":[1,NaN]}', INVALID),
    ('{"id":40000}', INVALID), ('{"id":"x","vector":[1,1]}', INVALID), ('{"id":7,"vector":[1,1]}', EXISTS),
])
def test_bad_line_40000_is_reported_and_nothing_is_written(evdb, bad, status):
    evdb.write("in.jsonl", jsonl(40001, {40000: bad}))
    assert "line 40000: " in evdb.fails(status, "import", "s", "in.jsonl")
    assert evdb.json("ls") == {"stores": []}  # not even the store it would have made


def test_a_bad_file_leaves_an_existing_store_as_it_was(docs):
    before = records(docs, "docs")
    docs.write("in.jsonl", '{"id":"new","vector":[1,2,3]}\n{"id":"a","vector":[1,2,3]}\n')
    assert "line 2: " in docs.fails(EXISTS, "import", "docs", "in.jsonl")
    assert records(docs, "docs") == before


def test_keep_going_skips_bad_lines_and_lists_them(evdb):
    evdb.write("in.jsonl", jsonl(40010, {3: "{", 40000: '{"id":1,"vector":[1,1]}', 40005: '{"id":9e9,"vector":[1,1]}'}))
    done = evdb.run("import", "s", "in.jsonl", "--keep-going", "--json")
    assert done.returncode == OK
    assert json.loads(done.stdout) == {"written": 40007, "skipped": 3}
    lines = done.stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == [" skipped line 3", " skipped line 40000", " skipped line 40005"]
    assert evdb.text("count", "s") == "40007\n"


def test_upsert_replaces_existing_records(docs):
    docs.write("in.jsonl", '{"id":"a","vector":[3,3,3],"metadata":{"new":true}}\n')
    assert docs.json("import", "docs", "in.jsonl", "--upsert") == {"written": 1, "skipped": 0}
    assert docs.json("get", "docs", "a")["records"][0]["metadata"] == {"new": True}


@pytest.mark.parametrize("name, content", [
    ("cut.npy", b"\x93NUMPY\x01\x00"), ("text.npy", b"hello"), ("cut.fvecs", b"\x02\x00\x00\x00\x00\x00"),
    ("huge.fvecs", struct.pack("<i", 2**31 - 1)), ("negative.fvecs", struct.pack("<i", -1)), ("cut.json", b'[{"id":1,'),
    ("gz.jsonl", gzip.compress(b'{"id":1,"vector":[1]}')), ("inf.fvecs", struct.pack("<i2f", 2, 1, float("inf"))),
    ("deep.jsonl", b'{"id":1,"vector":[1],"metadata":{"m":' + b"[" * 100000 + b"]" * 100000 + b"}}"),
], ids=lambda value: value if isinstance(value, str) else "")  # pytest puts a test's name into the environment: keep it short
def test_damaged_files_are_refused_whole(evdb, name, content):
    evdb.write(name, content)
    evdb.fails(INVALID, "import", "s", name)
    assert evdb.json("ls") == {"stores": []}


def test_a_companion_of_another_length_is_refused(evdb):
    np.save(evdb.path("v.npy"), np.ones((3, 2), dtype=np.float32))
    evdb.write("ids.jsonl", '{"id":1}\n{"id":2}\n')
    evdb.fails(INVALID, "import", "s", "v.npy", "--companion", "ids.jsonl")
    assert evdb.json("ls") == {"stores": []}


def test_missing_and_unnamed_inputs(evdb):
    assert "'none.json'" in evdb.fails(NOT_FOUND, "import", "s", "none.json")
    assert "--format" in evdb.fails(INVALID, "import", "s", "-")
    evdb.write("in.dat", "x")
    assert "--format" in evdb.fails(INVALID, "import", "s", "in.dat")
    evdb.fails(INVALID, "import", "s", "in.dat", "--format", "csv")
    evdb.fails(INVALID, "import", "s", "in.dat", "--format", "npy", "--batch", "10001")
    evdb.fails(INVALID, "import", "s", ".", "--format", "npy")
    assert os.listdir(evdb.directory) == ["in.dat"]  # no database was made
    evdb.fails(USAGE, "import", "s")


def test_a_store_that_cannot_be_made_is_not_said_to_be_left_behind(evdb):
    evdb.write("in.jsonl", jsonl(3))
    done = evdb.run("import", "s", "in.jsonl", "--dtype", "i8", "--codec", "f16")
    assert done.returncode == UNSUPPORTED and "codec" in done.stderr and "left behind" not in done.stderr
    assert evdb.json("ls") == {"stores": []}


def test_options_that_contradict_the_existing_store_are_refused(docs):
    docs.write("in.jsonl", '{"id":"z","vector":[1,2,3]}')
    assert "metric" in docs.fails(INVALID, "import", "docs", "in.jsonl", "--metric", "cosine")
    assert docs.text("count", "docs") == "3\n"
    docs.text("import", "docs", "in.jsonl", "--metric", "l2", "--dim", "3")


# Files written

def test_an_export_replaces_a_file_whole_and_leaves_nothing_beside_it(docs):
    docs.write("out.jsonl", "old")
    os.chmod(docs.path("out.jsonl"), 0o600)
    assert docs.json("export", "docs", "out.jsonl") == {"exported": 3}
    assert len(docs.path("out.jsonl").read_text().splitlines()) == 3
    assert sorted(os.listdir(docs.directory)) == ["data", "out.jsonl"]


def test_a_new_export_has_the_permissions_of_a_new_file(docs):
    docs.text("export", "docs", "out.jsonl")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(docs.path("out.jsonl").stat().st_mode) == 0o666 & ~mask


def test_a_failing_export_keeps_the_old_file(docs):
    docs.write("out.jsonl", "old")
    docs.fails(NOT_FOUND, "export", "none", "out.jsonl")
    docs.fails(NOT_FOUND, "export", "docs", "nodir/out.jsonl")
    docs.fails(NOT_FOUND, "export", "docs", "out.npy", "--companion", "nodir/ids.jsonl")
    assert docs.path("out.jsonl").read_text() == "old"
    assert sorted(os.listdir(docs.directory)) == ["data", "out.jsonl"]


def test_a_file_cannot_be_its_own_companion(docs):
    os.symlink(".", docs.path("here"))
    assert "companion" in docs.fails(INVALID, "export", "docs", "out.npy", "--companion", "here/out.npy")
    docs.fails(INVALID, "export", "docs", "-", "--format", "npy", "--companion", "-")
    assert sorted(os.listdir(docs.directory)) == ["data", "here"]


def test_an_interrupted_import_removes_the_store_it_made(docs):
    docs.write("in.jsonl", "bad\n" * 50000)
    words = [BINARY, "import", "new", "in.jsonl", "--keep-going"]
    with subprocess.Popen(words, cwd=docs.directory, stderr=subprocess.PIPE) as process:
        assert process.stderr.readline().startswith(b"evdb: skipped line 1")  # the rest does not fit into the pipe
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == -signal.SIGINT
    docs.fails(NOT_FOUND, "count", "new")


def test_a_killed_import_is_resumed_and_ends_as_an_unbroken_one(evdb):
    count = 40000
    evdb.write("in.jsonl", "".join('{"id":%d,"vector":[%d,1],"metadata":{"n":%d}}\n' % (i * 7919 % count, i, i) for i in range(count)))
    with subprocess.Popen([BINARY, "import", "s", "in.jsonl", "--batch", "1"], cwd=evdb.directory) as process:
        while process.poll() is None and evdb.run("count", "s").stdout in (b"", b"0\n"):
            pass
        process.kill()
    assert process.returncode == -signal.SIGKILL
    there = int(evdb.text("count", "s"))
    assert 0 < there < count
    assert "already in the store" in evdb.fails(EXISTS, "import", "s", "in.jsonl")
    assert evdb.text("import", "s", "in.jsonl", "--resume") == (
        f"imported {count - there} records into 's', {there} were there\n")
    assert evdb.json("import", "s", "in.jsonl", "--resume") == {"written": 0, "skipped": 0, "present": count}
    evdb.text("import", "unbroken", "in.jsonl")
    assert evdb.text("export", "s", "-", "--format", "jsonl") == evdb.text("export", "unbroken", "-", "--format", "jsonl")
    evdb.text("update", "s", "5", "--metadata", "{}")
    assert "id 5 is in the store with other metadata" in evdb.fails(EXISTS, "import", "s", "in.jsonl", "--resume")


def test_an_interrupted_export_leaves_nothing_beside_its_files(evdb):
    evdb.write("in.jsonl", "".join(json.dumps({"id": i, "vector": [1] * 100}) + "\n" for i in range(6000)))
    evdb.text("import", "s", "in.jsonl")
    os.mkfifo(evdb.path("out"))
    words = [BINARY, "export", "s", "out", "--format", "npy", "--companion", "ids.jsonl"]
    with subprocess.Popen(words, cwd=evdb.directory, stderr=subprocess.PIPE) as process:
        with open(evdb.path("out"), "rb") as pipe:
            assert pipe.read(1) == b"\x93"  # the rest fits neither into the pipe nor our buffer
            process.send_signal(signal.SIGINT)
            pipe.read()
    assert process.returncode == -signal.SIGINT
    assert sorted(os.listdir(evdb.directory)) == ["data", "in.jsonl", "out"]


def test_an_export_goes_through_a_link(docs):
    docs.write("real.jsonl", "old")
    os.symlink("real.jsonl", docs.path("link.jsonl"))
    docs.text("export", "docs", "link.jsonl")
    assert docs.path("link.jsonl").is_symlink()
    assert len(docs.path("real.jsonl").read_text().splitlines()) == 3


def test_records_expire_and_are_forgotten_by_the_command_line(evdb):
    evdb.json("create", "short", "--dim", "2", "--ttl", "3600")
    assert evdb.json("describe", "short")["ttl_ms"] == 3600000
    evdb.json("put", "short", "a", "--vector", "[1,2]")
    evdb.json("put", "short", "b", "--vector", "[1,2]", "--ttl=-1")
    evdb.json("put", "short", "c", "--vector", "[1,2]", "--expires-ms", "5")
    assert evdb.json("count", "short")["count"] == 2
    assert "expires_ms" not in evdb.json("get", "short", "b")["records"][0]
    evdb.json("ttl", "short")
    assert "ttl_ms" not in evdb.json("describe", "short")
    evdb.json("backup", "short", "old")
    told = evdb.json("forget", "short", "a", "c")
    assert told["forgotten"] >= 1 and told["backups"] == [{"backup": "old"}]
    assert evdb.json("count", "short")["count"] == 1
