"""test_s3.py - backups in a bucket of a real S3 server: what comes back, what is refused, and what happens when it is not there."""
import base64
import http.client
import itertools
import json
import threading
import time

import numpy
import pytest
import s3_server
from evdbd import PATIENCE, Client, problem

PART = 5 << 20
DIM = 96
names = itertools.count(1)
pytestmark = pytest.mark.skipif(not s3_server.program(), reason="no S3 server is installed: make s3")


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    server = s3_server.S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def bucket(s3):
    return s3.bucket(f"bucket-{next(names)}")


@pytest.fixture
def flags(tmp_path):
    """Settings for a bucket, and changes of them."""
    secret = tmp_path / "secret"
    secret.write_text(s3_server.SECRET_KEY + "\n")
    secret.chmod(0o600)

    def make(bucket, **changes):
        settings = {"endpoint": bucket.endpoint, "bucket": bucket.bucket, "access_key": s3_server.ACCESS_KEY, "secret_key_file": secret,
                    "prefix": "evdb/", "part_bytes": PART, "timeout": "20s", **changes}
        return [f"--s3_{name}={value}" for name, value in settings.items()]

    return make


@pytest.fixture
def server(start, bucket, flags):
    return start(*flags(bucket))


def good(server, method, path, body=None):
    reply = server.request(method, path, body)
    assert reply.status in (200, 201), reply.text
    return json.loads(reply.body)


def fill(server, rng, store="docs", count=500, first=0):
    if not first:
        good(server, "POST", "/api/v1/stores", {"name": store, "dim": DIM, "metric": "l2"})
    for at in range(first, first + count, 2000):
        rows = [{"id": i, "vector": [rng.random() for _ in range(DIM)], "metadata": {"n": i}} for i in range(at, min(at + 2000, first + count))]
        good(server, "POST", f"/api/v1/stores/{store}/vectors/batch", {"records": rows})


def backup(server, name, store="docs", **more):
    return good(server, "POST", f"/api/v1/stores/{store}/backups", {"backup": name, "target": "s3", **more})


def restore(server, name, store="again", **more):
    return server.request("POST", f"/api/v1/backups/{name}/restore", {"target": "s3", "store": store, **more})


def verify(server, name):
    return server.request("POST", f"/api/v1/backups/{name}/verify", {"target": "s3"})


def listed(server):
    return {one["backup"]: one for one in good(server, "GET", "/api/v1/backups?target=s3")["backups"]}


def exported(server, store):
    return sorted(server.request("GET", f"/api/v1/stores/{store}/export?format=jsonl").body.splitlines())


def stores(server):
    return sorted(store["name"] for store in good(server, "GET", "/api/v1/stores")["stores"])


# ---- what comes back

def test_a_store_goes_into_the_bucket_and_comes_back(server, bucket, rng):
    fill(server, rng)
    made = backup(server, "one")
    assert bucket.keys() == ["evdb/one.backup"] and len(bucket.get("evdb/one.backup")) == made["bytes"]
    assert good(server, "GET", "/api/v1/backups") == {"backups": []}  # nothing in the folder
    assert listed(server) == {"one": made}
    problem(server.request("POST", "/api/v1/stores/docs/backups", {"backup": "one", "target": "s3"}), 409)
    assert json.loads(verify(server, "one").body) == made
    assert json.loads(restore(server, "one").body) == {"store": "again", "backup": "one", "sequence": made["sequence"], "records": 500}
    assert exported(server, "again") == exported(server, "docs")
    assert good(server, "DELETE", "/api/v1/backups/one?target=s3") == {"deleted": "one"}
    assert bucket.keys() == [] and listed(server) == {}
    for reply in (verify(server, "one"), restore(server, "one", "more"), server.request("DELETE", "/api/v1/backups/one?target=s3")):
        assert "one" in problem(reply, 404)["detail"]


def test_increments_build_on_what_is_in_the_bucket(server, bucket, rng):
    fill(server, rng, count=300)
    states = {}
    for step, name in enumerate("abc"):
        if step:
            fill(server, rng, count=50, first=1000 * step)
            good(server, "DELETE", f"/api/v1/stores/docs/vectors/{step}")
        backup(server, name, **({"base": "abc"[step - 1]} if step else {}))
        states[name] = exported(server, "docs")
    found = listed(server)
    assert [found[name].get("base") for name in "abc"] == [None, "a", "b"] and found["b"]["entries"] == 51
    assert verify(server, "c").status == 200
    for name in "abc":
        assert restore(server, "c", name, sequence=found[name]["sequence"]).status == 200
        assert exported(server, name) == states[name]
    problem(restore(server, "c", "early", sequence=1), 404)
    assert "'b' is an increment" in problem(server.request("DELETE", "/api/v1/backups/a?target=s3"), 400)["detail"]
    problem(server.request("POST", "/api/v1/stores/docs/backups", {"backup": "d", "base": "none", "target": "s3"}), 404)
    bucket.delete("evdb/b.backup")
    assert "not there" in problem(restore(server, "c", "gap"), 404)["detail"]
    assert verify(server, "a").status == 200 and stores(server) == ["a", "b", "c", "docs"]


def test_a_large_backup_goes_in_parts_and_leaves_none_behind(server, bucket, rng):
    good(server, "POST", "/api/v1/stores", {"name": "docs", "dim": 1024, "metric": "l2"})
    vectors = numpy.random.default_rng(rng.randrange(2**32)).random((3000, 1024), numpy.float32)
    for at in range(0, 3000, 500):
        rows = [{"id": at + i, "vector": base64.b64encode(vector.tobytes()).decode()} for i, vector in enumerate(vectors[at:at + 500])]
        good(server, "POST", "/api/v1/stores/docs/vectors/batch", {"records": rows})
    made = backup(server, "large")
    assert made["bytes"] > 2 * PART
    assert bucket.uploads() == [] and verify(server, "large").status == 200
    assert restore(server, "large").status == 200
    assert server.request("GET", "/api/v1/stores/again/export?format=npy").body.endswith(vectors.tobytes())


def test_encrypted_backups_need_the_servers_key(start, bucket, flags, tmp_path, rng):
    (tmp_path / "key").write_bytes(bytes(range(32)))
    keyed = start(*flags(bucket), f"--backup_key_file={tmp_path}/key")
    fill(keyed, rng, count=100)
    assert backup(keyed, "sealed")["encrypted"] and restore(keyed, "sealed").status == 200
    other = start(*flags(bucket), directory=tmp_path / "other")
    assert listed(other)["sealed"]["encrypted"]
    problem(restore(other, "sealed"), 403)
    fill(other, rng, count=10)
    backup(other, "open")
    problem(restore(keyed, "open", "more"), 403)


def test_targets_are_apart_and_tools_have_both(server, rng):
    fill(server, rng, count=10)
    good(server, "POST", "/api/v1/stores/docs/backups", {"backup": "same"})
    fill(server, rng, count=5, first=100)
    backup(server, "same")
    assert [one["records"] for one in good(server, "GET", "/api/v1/backups")["backups"]] == [10]
    assert listed(server)["same"]["records"] == 15
    good(server, "DELETE", "/api/v1/backups/same?target=local")
    assert "same" in listed(server)
    assert "target" in problem(server.request("GET", "/api/v1/backups?target=tape"), 400)["detail"]
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "verify_backup", "arguments": {"backup": "same", "target": "s3"}}}
    client = http.client.HTTPConnection("127.0.0.1", server.ports["mcp"], timeout=60)
    client.request("POST", "/mcp", json.dumps(call), {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json",
                                                      "Accept": "application/json, text/event-stream"})
    assert json.loads(client.getresponse().read())["result"]["structuredContent"]["records"] == 15
    client.close()


def test_a_list_has_pages_and_passes_over_what_is_no_backup(server, bucket, rng):
    for i in range(1030):
        bucket.put(f"evdb/{i:04}.txt", b"x")
    for key in ("evdb/ä <&> b.backup", "evdb/sub/one.backup", "evdb/.hidden.backup", "one.backup", "evdb/" + "n" * 200 + ".backup"):
        bucket.put(key, b"x")
    fill(server, rng, count=10)
    backup(server, "a")
    backup(server, "zz")
    assert sorted(listed(server)) == ["a", "zz"]


def test_of_two_backups_of_one_name_one_is_made(server, bucket, rng):
    fill(server, rng, count=3000)
    replies, token = [], server.token()
    threads = [threading.Thread(target=lambda: replies.append(server.request("POST", "/api/v1/stores/docs/backups",
                                                                             {"backup": "twin", "target": "s3"}, token))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]
    assert verify(server, "twin").status == 200


@pytest.mark.threaded
def test_a_schedule_keeps_its_backups_in_the_bucket_and_deletes_old_ones_there(start, bucket, flags, rng):
    server = start(*flags(bucket), "--backup_target=s3", "--backup_schedule=1s", "--backup_keep=2", "--backup_full_every=1")
    fill(server, rng)
    backup(server, "by-hand")

    def made():
        return [entry for entry in server.log if entry["message"] == "backed up a store"]

    deadline = time.monotonic() + PATIENCE
    while len(made()) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.stop()
    assert [entry for entry in server.log if entry["level"] == "error"] == []
    assert any(entry["message"] == "deleted old backups" for entry in server.log)
    assert not (server.directory / "backups").exists() and bucket.uploads() == []
    server = start(*flags(bucket), directory=server.directory)
    names = sorted(name for name in listed(server) if name != "by-hand")
    assert 2 <= len(names) <= 4 and "by-hand" in listed(server), names  # what the older one builds on stays, and one may be behind its time
    assert all(verify(server, name).status == 200 for name in names)
    assert restore(server, names[-1]).status == 200 and exported(server, "again") == exported(server, "docs")
    pruned = good(server, "POST", "/api/v1/backups/prune", {"target": "s3", "keep": 1})
    assert names[-1] not in [one["backup"] for one in pruned["deleted"]] and "by-hand" not in listed(server)


# ---- what is refused

def test_objects_that_are_cut_changed_swapped_or_no_backups_are_refused_before_anything_changes(server, bucket, rng):
    fill(server, rng, count=300)
    backup(server, "full")
    fill(server, rng, count=50, first=1000)
    backup(server, "more", base="full")
    fill(server, rng, store="other", count=20)
    backup(server, "foreign", store="other")
    whole, more, foreign = (bucket.get(f"evdb/{name}.backup") for name in ("full", "more", "foreign"))
    before = exported(server, "docs")
    flipped = bytearray(whole)
    flipped[rng.randrange(len(whole) // 4, len(whole) // 2)] ^= 1 << rng.randrange(8)
    bad = {"empty": b"", "short": whole[:10], "cut": whole[:rng.randrange(400, len(whole))], "longer": whole + b"x", "page": b"<html>" * 100,
           "flipped": bytes(flipped)}
    for name, content in bad.items():
        bucket.put(f"evdb/{name}.backup", content)
    found = listed(server)
    assert [name for name in bad if "problem" not in found[name]] == ["flipped"]  # its ends are sound
    for name in bad:
        for reply in (verify(server, name), restore(server, name, "docs", replace=True)):
            assert "damaged" in problem(reply, 500)["detail"] or "no backup" in problem(reply, 500)["detail"]
        bucket.delete(f"evdb/{name}.backup")
    bucket.put("evdb/full.backup", foreign)  # under the name of the base
    problem(restore(server, "more", "docs", replace=True), 404)
    bucket.put("evdb/full.backup", bytes(flipped))
    problem(restore(server, "more", "docs", replace=True), 500)
    assert exported(server, "docs") == before and stores(server) == ["docs", "other"]
    bucket.put("evdb/full.backup", whole)
    assert restore(server, "more", "docs", replace=True).status == 200 and exported(server, "docs") == before


def test_what_the_bucket_refuses_is_told_without_secrets(start, bucket, flags, tmp_path, rng):
    (tmp_path / "wrong").write_text("another-secret-of-tests")
    (tmp_path / "wrong").chmod(0o600)
    wrong = start(*flags(bucket, secret_key_file=tmp_path / "wrong"))
    fill(wrong, rng, count=10)
    reply = wrong.request("POST", "/api/v1/stores/docs/backups", {"backup": "b", "target": "s3"})
    assert bucket.bucket in problem(reply, 502)["detail"]
    assert "SignatureDoesNotMatch" in problem(wrong.request("GET", "/api/v1/backups?target=s3"), 502)["detail"]
    problem(restore(wrong, "b"), 502)
    assert "another-secret" not in json.dumps(wrong.log) + reply.text
    (tmp_path / "wrong").write_text(s3_server.SECRET_KEY)  # read again for each request
    assert backup(wrong, "b")["records"] == 10
    bucket.bucket = "no-such-bucket"
    missing = start(*flags(bucket), directory=tmp_path / "missing")
    fill(missing, rng, count=10)
    reply = missing.request("POST", "/api/v1/stores/docs/backups", {"backup": "b", "target": "s3"})
    assert "NoSuchBucket" in problem(reply, 502)["detail"] and "no-such-bucket" in reply.text
    problem(missing.request("GET", "/api/v1/backups?target=s3"), 502)


def test_a_server_without_a_bucket_says_so(start, rng):
    plain = start()
    fill(plain, rng, count=10)
    for reply in (plain.request("POST", "/api/v1/stores/docs/backups", {"backup": "b", "target": "s3"}), verify(plain, "b"), restore(plain, "b"),
                  plain.request("GET", "/api/v1/backups?target=s3"), plain.request("DELETE", "/api/v1/backups/b?target=s3")):
        assert "s3_endpoint" in problem(reply, 501)["detail"]


def test_a_backup_is_taken_while_the_store_is_written(server, rng):
    fill(server, rng, count=6000)
    done, headers = threading.Event(), [f"Authorization: Bearer {server.token()}", "Content-Type: application/json"]
    failed = []

    def write():
        client = Client(server.ports["rest"])
        number = 0
        while not done.is_set():
            number += 1
            body = json.dumps({"vector": [number] * DIM}).encode()
            reply = client.ask("PUT", f"/api/v1/stores/docs/vectors/{100000 + number}", body, headers)
            if reply.status not in (200, 201):
                failed.append(reply.text)
        client.close()

    writer = threading.Thread(target=write)
    writer.start()
    made = backup(server, "busy")
    done.set()
    writer.join()
    assert not failed and restore(server, "busy").status == 200
    assert good(server, "GET", "/api/v1/stores/again/count")["count"] == made["records"]
