"""make_sqlite_vec.py - a SQLite file as sqlite-vec writes it, and what is in it: make_sqlite_vec.py FOLDER SEED

Writes FOLDER/v.db and FOLDER/expected.json. Runs in the environment that tests/foreign/install makes."""
import json
import random
import struct
import sys
from pathlib import Path

import apsw
import sqlite_vec

WORDS = ["", "a", "größe", "twelve bytes", "thirteen byte", 'quo"te\\', "x" * 40]


def floats(rng, dim):
    return [struct.unpack("f", struct.pack("f", rng.uniform(-2, 2)))[0] for _ in range(dim)]


def packed(vector):
    return struct.pack(f"<{len(vector)}f", *vector)


def many(db, rng):
    """All kinds of columns, three of them vectors, in chunks of eight; some records are deleted, one updated."""
    db.execute("""CREATE VIRTUAL TABLE many USING vec0(tenant integer partition key, emb float[5] distance_metric=cosine,
                  small int8[6], flags bit[16], word text, year integer, rating float, ok boolean, +body text, +extra integer, chunk_size=8)""")
    rows = {}
    for number in rng.sample(range(-50, 10**12), 60):
        row = {"tenant": rng.randrange(3), "emb": floats(rng, 5), "small": [rng.randrange(-128, 128) for _ in range(6)],
               "flags": [rng.randrange(2) for _ in range(16)], "word": rng.choice(WORDS), "year": rng.randrange(-2**63, 2**63),
               "rating": rng.uniform(-1e9, 1e9), "ok": bool(rng.randrange(2)), "body": rng.choice([None, *WORDS]),
               "extra": rng.choice([None, 1, -2**40])}
        rows[number] = row
        bits = bytes(sum(row["flags"][8 * i + j] << j for j in range(8)) for i in range(2))
        db.execute("INSERT INTO many(rowid, tenant, emb, small, flags, word, year, rating, ok, body, extra)"
                   " VALUES(?,?,?,vec_int8(?),vec_bit(?),?,?,?,?,?,?)",
                   (number, row["tenant"], packed(row["emb"]), struct.pack("6b", *row["small"]), bits, row["word"], row["year"],
                    row["rating"], row["ok"], row["body"], row["extra"]))
    for number in rng.sample(sorted(rows), 9):
        db.execute("DELETE FROM many WHERE rowid=?", (number,))
        del rows[number]
    changed = rng.choice(sorted(rows))
    rows[changed]["emb"] = floats(rng, 5)
    rows[changed]["word"] = "thirteen more"
    db.execute("UPDATE many SET emb=?, word=? WHERE rowid=?", (packed(rows[changed]["emb"]), "thirteen more", changed))
    metadata = ["tenant", "word", "year", "rating", "ok", "body", "extra"]
    for column, metric, dtype in [("emb", "cosine", "f32"), ("small", "euclidean", "i8"), ("flags", "hamming", "bit")]:
        yield {"table": "many", "column": column, "metric": metric, "dtype": dtype, "records": [
            {"id": number, "vector": row[column], "metadata": {key: row[key] for key in metadata}} for number, row in rows.items()]}


def named(db, rng):
    """Text keys, nothing beside the vector."""
    db.execute("CREATE VIRTUAL TABLE \"na med\" USING vec0(name TEXT PRIMARY KEY, v FLOAT[3] distance_metric=L1)")
    records = []
    for i in range(20):
        records.append({"id": f"nä-{i}", "vector": floats(rng, 3), "metadata": {}})
        db.execute("INSERT INTO \"na med\" VALUES(?,?)", (records[-1]["id"], packed(records[-1]["vector"])))
    yield {"table": "na med", "metric": "manhattan", "dtype": "f32", "records": records}


def plain(db, rng):
    """Ordinary tables, by integer key, by text key, and without one."""
    db.execute("CREATE TABLE plain(n INTEGER PRIMARY KEY, \"we\"\"ird\" TEXT, v BLOB, score REAL)")
    db.execute("CREATE TABLE texts(v float[2], id TEXT PRIMARY KEY, thumb BLOB, other) WITHOUT ROWID")
    db.execute("CREATE TABLE pairs(a, b, v BLOB, PRIMARY KEY(a, b))")
    wanted = {"plain": [], "texts": [], "pairs": []}
    for i in range(10):
        v = floats(rng, 2)
        db.execute("INSERT INTO plain VALUES(?,?,?,?)", (i * 7 - 3, f"t{i}", packed(v), i / 7))
        wanted["plain"].append({"id": i * 7 - 3, "vector": v, "metadata": {'we"ird': f"t{i}", "score": i / 7}})
        db.execute("INSERT INTO texts VALUES(?,?,?,?)", (packed(v), f"id{i}", b"\x01\xff", i if i % 2 else None))
        wanted["texts"].append({"id": f"id{i}", "vector": v, "metadata": {"thumb": "01ff", "other": i if i % 2 else None}})
        db.execute("INSERT INTO pairs VALUES(?,?,?)", (i, "b", packed(v)))
        wanted["pairs"].append({"id": i + 1, "vector": v, "metadata": {"a": i, "b": "b"}})
    yield {"table": "plain", "records": wanted["plain"]}
    yield {"table": "texts", "column": "v", "records": wanted["texts"]}
    yield {"table": "pairs", "column": "v", "records": wanted["pairs"]}


def main():
    folder, rng = Path(sys.argv[1]), random.Random(sys.argv[2])
    db = apsw.Connection(str(folder / "v.db"))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute("PRAGMA page_size=1024")
    expected = [entry for make in (many, named, plain) for entry in make(db, rng)]
    db.close()
    (folder / "expected.json").write_text(json.dumps({"path": "v.db", "kind": "sqlite-vec", "stores": expected}))


if __name__ == "__main__":
    main()
