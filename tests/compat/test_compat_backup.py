"""Backups that earlier versions wrote, one folder a format: a newer evdb restores each."""
import pathlib

import evdb
import pytest

FIXTURES = sorted(pathlib.Path(__file__).parent.glob("backup*/"))
KEY = bytes(range(32))


def vector(number):
    return [number / 8, 1 - number / 4, 2.0, 0.0]


def write(folder):
    """How the files of the newest format were made."""
    with evdb.open(":memory:", backup_dir=folder) as db:
        for name, codec in (("plain", "none"), ("coded", "f16")):
            store = db.create_store(name, dim=4, metric="l2", fields=["n"], codec=codec)
            store.insert([f"id-{i}" for i in range(20)], [vector(i) for i in range(20)], metadata=[{"n": i} for i in range(20)])
            key = KEY if codec == "f16" else None
            store.backup(f"{name}-full", key=key)
            store.delete([f"id-{i}" for i in range(5)])
            store.upsert("id-7", vector(70), metadata={"n": 70})
            store.backup(f"{name}-more", base=f"{name}-full", key=key)


@pytest.mark.parametrize("folder", FIXTURES, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["plain", "coded"])
def test_backups_of_each_format_are_restored(folder, name):
    key = KEY if name == "coded" else None
    with evdb.open(":memory:", backup_dir=folder) as db:
        store, more = db.restore(f"{name}-full", "full", key=key), db.restore(f"{name}-more", "more", key=key)
        assert [(r.id, r.version, r.vector.tolist(), r.metadata) for r in store] == sorted(
            (f"id-{i}", i + 1, vector(i), {"n": i}) for i in range(20))
        wanted = {f"id-{i}": (vector(i), {"n": i}) for i in range(5, 20)}
        wanted["id-7"] = (vector(70), {"n": 70})
        assert {r.id: (r.vector.tolist(), r.metadata) for r in more} == wanted
        assert more.get("id-7").version == 26 and more.stats()["sequence"] == 26
        assert store.describe().codec == ("f16" if name == "coded" else None)
        assert not db.verify().problems
        if key:
            with pytest.raises(evdb.Denied):
                db.verify_backup(f"{name}-more")
