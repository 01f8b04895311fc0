"""foreign_check.py - imports all that a maker made, and compares."""
import hashlib
import json
import os

import numpy as np

FLAG = {"sqlite-vec": "--table", "chroma": "--collection"}


def files(folder):
    """All files below, with their content and time of change."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[path] = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns)
    return found


def metadata(value):
    """As text, so that true is not 1 and 1 is not 1.0."""
    return json.dumps(value, sort_keys=True)


def check(evdb, expected):
    """Each table or collection becomes a store of the same ids, metadata and vectors, with the properties it was made with."""
    for number, wanted in enumerate(expected["stores"]):
        # Chroma scales what waits for its index to length 1 and back before it answers; the queue has it as it was added
        exact = expected["kind"] != "chroma" or wanted["metric"] != "cosine"
        name = f"s{number}"
        options = [FLAG[expected["kind"]], wanted["table"]]
        if "column" in wanted:
            options += ["--column", wanted["column"]]
        if "metric" not in wanted:
            options += ["--metric", "l2"]
        reply = evdb.json("import", name, expected["path"], "--format", expected["kind"], *options)
        assert reply == {"written": len(wanted["records"]), "skipped": 0}
        shown = evdb.json("describe", name)
        assert (shown["metric"], shown["dtype"]) == (wanted.get("metric", "euclidean"), wanted.get("dtype", "f32"))
        lines = evdb.text("export", name, "-", "--format", "jsonl").splitlines()
        got = {record["id"]: record for record in map(json.loads, lines)}
        assert got.keys() == {record["id"] for record in wanted["records"]}
        for record in wanted["records"]:
            mine = got[record["id"]]
            assert metadata(mine["metadata"]) == metadata(record["metadata"]), record["id"]
            vectors = np.float32([mine["vector"], record["vector"]])
            if exact:
                assert vectors[0].tobytes() == vectors[1].tobytes(), record["id"]
            else:
                np.testing.assert_allclose(vectors[0], vectors[1], rtol=1e-6)
        again = evdb.json("import", name, expected["path"], "--format", expected["kind"], *options, "--resume")
        assert again == {"written": 0, "skipped": 0, "present": len(wanted["records"])}
