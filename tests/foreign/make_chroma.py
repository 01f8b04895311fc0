"""make_chroma.py - a Chroma directory as Chroma writes it, and what is in it: make_chroma.py FOLDER SEED

Writes FOLDER/c and FOLDER/expected.json. Runs in the environment that tests/foreign/install makes, and with Chroma 0.5."""
import json
import random
import sys
from pathlib import Path

import chromadb

NEW = int(chromadb.__version__.split(".")[0]) >= 1  # has lists in metadata
WORDS = ["", "größe", 'quo"te\\', "x" * 40]


def metadata(rng, i):
    made = {"n": rng.randrange(-2**62, 2**62), "f": rng.uniform(-1e9, 1e9), "w": rng.choice(WORDS), "b": bool(i % 2)}
    if NEW and i % 3 == 0:
        made["list"] = rng.choice([["a", "b"], [1, 2, 3], [True, False], [0.5]])
    return {key: made[key] for key in rng.sample(sorted(made), rng.randrange(1, len(made) + 1))}


def fill(collection, rng, count, dim):
    """Adds, changes and deletes: some of it before the index is saved, some after."""
    def vectors(n):
        return [[rng.uniform(-2, 2) for _ in range(dim)] for _ in range(n)]

    for start in range(0, count, 20):
        ids = [f"id {i}" for i in range(start, min(start + 20, count))]
        collection.add(ids=ids, embeddings=vectors(len(ids)), metadatas=[metadata(rng, i) for i in range(len(ids))],
                       documents=[f"document {i}" for i in ids])
        collection.update(ids=ids[3:4], embeddings=vectors(1))
        collection.update(ids=ids[4:5], metadatas=[{"changed": 1}])
        collection.upsert(ids=[ids[5], f"new {start}"], embeddings=vectors(2))
        collection.delete(ids=ids[7:9])
        collection.add(ids=[ids[7]], embeddings=vectors(1))


def main():
    folder, rng = Path(sys.argv[1]), random.Random(sys.argv[2])
    client = chromadb.PersistentClient(str(folder / "c"), settings=chromadb.Settings(anonymized_telemetry=False))
    stores = []
    for name, space, metric, count, dim in [("squares", "l2", "euclidean", 50, 5), ("angles", "cosine", "cosine", 50, 3), ("few", "ip", "ip", 12, 4)]:
        collection = client.create_collection(name, metadata={"hnsw:space": space, "hnsw:sync_threshold": 30, "hnsw:batch_size": 10})
        fill(collection, rng, count, dim)
        got = collection.get(include=["embeddings", "metadatas", "documents"])
        records = []
        for i, identity in enumerate(got["ids"]):
            members = dict(got["metadatas"][i] or {})
            if got["documents"][i] is not None:
                members["chroma:document"] = got["documents"][i]
            records.append({"id": identity, "vector": [float(x) for x in got["embeddings"][i]], "metadata": members})
        stores.append({"table": name, "metric": metric, "dtype": "f32", "records": records})
    (folder / "expected.json").write_text(json.dumps({"path": "c", "kind": "chroma", "stores": stores}))


if __name__ == "__main__":
    main()
