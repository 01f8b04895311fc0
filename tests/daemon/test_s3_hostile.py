"""test_s3_hostile.py - backups in a bucket whose server is slow, wrong, gone or out for harm. None of it needs a real one."""
import base64
import json
import secrets
import threading

import numpy
import pytest
import s3_fake
from certificates import self_signed
from evdbd import problem
from s3_fake import BUCKET, SECRET_KEY, Fake

PART = 5 << 20
LARGE = 1700  # vectors of 1024 random elements: more than one part


@pytest.fixture
def fake():
    server = Fake()
    yield server
    server.stop()


@pytest.fixture
def flags(tmp_path):
    (tmp_path / "secret").write_text(SECRET_KEY)
    (tmp_path / "secret").chmod(0o600)

    def make(endpoint, **changes):
        settings = {"endpoint": endpoint, "bucket": BUCKET, "access_key": "AK", "secret_key_file": tmp_path / "secret", "part_bytes": PART,
                    "timeout": "30s", **changes}
        return [f"--s3_{name}={value}" for name, value in settings.items()]

    return make


@pytest.fixture
def server(start, fake, flags):
    """With a store `docs` of three records, whose backup is longer than what a look at its ends reads."""
    return filled(start(*flags(f"http://127.0.0.1:{fake.port}")))


def good(server, method, path, body=None):
    reply = server.request(method, path, body)
    assert reply.status in (200, 201), reply.text
    return json.loads(reply.body)


def filled(server):
    good(server, "POST", "/api/v1/stores", {"name": "docs", "dim": 2, "metric": "l2"})
    for i in range(3):
        good(server, "POST", "/api/v1/stores/docs/vectors", {"id": i, "vector": [i, 1], "metadata": {"noise": secrets.token_hex(8000)}})
    return server


def fill_large(server):
    """A store `large` whose backup has two parts."""
    good(server, "POST", "/api/v1/stores", {"name": "large", "dim": 1024, "metric": "l2"})
    vectors = numpy.random.default_rng(1).random((LARGE, 1024), numpy.float32)
    for at in range(0, LARGE, 500):
        rows = [{"id": at + i, "vector": base64.b64encode(vector.tobytes()).decode()} for i, vector in enumerate(vectors[at:at + 500])]
        good(server, "POST", "/api/v1/stores/large/vectors/batch", {"records": rows})


def backup(server, name="b", store="docs", **more):
    return server.request("POST", f"/api/v1/stores/{store}/backups", {"backup": name, "target": "s3", **more})


def restore(server, name="b", store="docs", **more):
    return server.request("POST", f"/api/v1/backups/{name}/restore", {"target": "s3", "store": store, "replace": True, **more})


def listed(server):
    return server.request("GET", "/api/v1/backups?target=s3")


def count(server, store="docs"):
    return good(server, "GET", f"/api/v1/stores/{store}/count")["count"]


def refused(reply, *words, status=502):
    detail = problem(reply, status)["detail"]
    assert all(word in detail for word in words), detail
    assert SECRET_KEY not in detail
    return detail


# ---- what may pass

def test_what_may_pass_is_tried_again_and_nothing_is_done_twice(server, fake):
    fill_large(server)
    failing = {}

    def before(request):
        """Each request fails twice at first, in turns of three ways."""
        what = request.command, request.path, request.headers.get("Range")
        failing[what] = failing.get(what, 0) + 1
        if failing[what] > 2 or request.kind() == "find":
            return False
        return [lambda: request.error_answer(503, "SlowDown"), request.hang_up, lambda: request.error_answer(500, "InternalError")][request.number % 3]()

    fake.before = before
    assert backup(server, "large", "large").status == 201
    assert backup(server, "small").status == 201
    assert sorted(fake.objects) == ["large.backup", "small.backup"] and len(fake.objects["large.backup"][0]) > PART
    assert len(json.loads(listed(server).body)["backups"]) == 2
    assert restore(server, "large", "again").status == 200 and count(server, "again") == LARGE
    assert {"put", "part", "begin", "complete", "list", "read"} <= set(fake.kinds())


def test_what_will_not_pass_is_asked_once(server, fake):
    fake.before = lambda request: request.error_answer(403, "AccessDenied", "not you")
    refused(listed(server), BUCKET, "AccessDenied", "not you")
    assert fake.kinds() == ["list"]
    refused(backup(server), "403")
    assert fake.kinds() == ["list", "find"]


@pytest.mark.parametrize("kind", ["put", "complete"])
def test_an_upload_whose_answer_got_lost_is_known_again(server, fake, kind):
    if kind == "complete":
        fill_large(server)
    fake.after = lambda request: request.kind() == kind and request.hang_up()
    assert backup(server, "b", "large" if kind == "complete" else "docs").status == 201
    assert fake.kinds().count(kind) > 1 and not fake.uploads
    fake.after = lambda request: False
    refused(backup(server), "already exists", status=409)


def test_a_name_that_is_taken_meanwhile_stays_the_others(server, fake):
    def before(request):
        if request.kind() == "put":
            fake.objects[request.key] = b"of another", "their mark"

    fake.before = before
    refused(backup(server), "already exists", status=409)
    assert fake.objects["b.backup"] == (b"of another", "their mark")


def test_servers_that_cannot_tell_whether_a_name_is_taken_are_asked_beforehand(server, fake):
    fake.before = lambda request: "If-None-Match" in request.headers and request.error_answer(501, "NotImplemented")
    assert backup(server).status == 201
    refused(backup(server), "already exists", status=409)
    assert fake.kinds() == ["find", "put", "put", "find"]


# ---- what fails

@pytest.mark.parametrize("kind", ["begin", "part", "complete"])
def test_an_upload_that_fails_is_given_up(server, fake, kind):
    fill_large(server)
    # Of the last request it is told within an answer that began well.
    fake.before = lambda request: request.kind() == kind and request.error_answer(200 if kind == "complete" else 400, "EntityTooLarge")
    refused(backup(server, "b", "large"), "EntityTooLarge")
    assert not fake.objects and not fake.uploads and ("abort" in fake.kinds()) == (kind != "begin")


def test_a_store_that_is_not_there_leaves_nothing_in_the_bucket(server, fake):
    refused(backup(server, store="none"), "none", status=404)
    refused(backup(server, "../up"), "no name", status=400)
    assert fake.seen == []


def test_an_endpoint_that_is_down_fails_alone(start, flags):
    fake = Fake()
    fake.stop()
    server = filled(start(*flags(f"http://127.0.0.1:{fake.port}")))
    for reply in (backup(server), listed(server), restore(server, store="x"), server.request("DELETE", "/api/v1/backups/b?target=s3")):
        refused(reply, BUCKET, str(fake.port))
    assert good(server, "POST", "/api/v1/stores/docs/backups", {"backup": "here"})["records"] == 3
    assert good(server, "POST", "/api/v1/stores/docs/search", {"vector": [1, 1], "k": 1})["results"][0]["id"] == 1


def asking_what_waits(server, fake):
    """A thread that asks for a list, and waits for the bucket until the event is set; its reply comes into the list."""
    waits, end, replies = threading.Event(), threading.Event(), []
    fake.before = lambda request: waits.set() or end.wait(60)
    token = server.token()
    asker = threading.Thread(target=lambda: replies.append(server.request("GET", "/api/v1/backups?target=s3", token=token)))
    asker.start()
    assert waits.wait(60)
    return asker, replies, end


def test_an_endpoint_that_never_answers_is_left_in_time_and_holds_up_nobody(start, fake, flags):
    server = filled(start(*flags(f"http://127.0.0.1:{fake.port}", timeout="1s")))
    asker, replies, end = asking_what_waits(server, fake)
    assert good(server, "POST", "/api/v1/stores/docs/search", {"vector": [1, 1], "k": 1})["results"][0]["id"] == 1
    asker.join(60)
    refused(replies[0], "imeout")
    end.set()


def test_a_stop_of_the_server_ends_what_waits_for_the_bucket(start, fake, flags):
    server = filled(start(*flags(f"http://127.0.0.1:{fake.port}", timeout="1h")))
    asker, replies, end = asking_what_waits(server, fake)
    server.signal()
    assert server.end() == 0
    asker.join(60)
    refused(replies[0], "stopping")
    end.set()


def test_redirects_are_not_followed(server, fake):
    elsewhere = Fake()
    try:
        fake.before = lambda request: request.answer(307, b"", Location=f"http://127.0.0.1:{elsewhere.port}{request.path}")
        for reply in (listed(server), backup(server), restore(server)):
            refused(reply, "307", "redirect")
        assert elsewhere.seen == []
    finally:
        elsewhere.stop()


def length_of(range_header):
    first, last = map(int, range_header.removeprefix("bytes=").split("-"))
    return last - first + 1


def test_answers_that_are_too_long_too_short_or_nonsense_are_refused(server, fake):
    assert backup(server).status == 201
    bomb = b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ListBucketResult><Name>&b;</Name></ListBucketResult>'
    for body in (b"", b"<html/>", b"<ListBucketResult>", bomb, b"<ListBucketResult>" + b"<Name/>" * (1 << 20) + b"</ListBucketResult>"):
        fake.before = lambda request, body=body: request.kind() == "list" and request.answer(200, body)
        refused(listed(server))
    for answer in (lambda request: request.answer(206, b"x" * (1 << 20)), lambda request: request.answer(206, b"x"),
                   lambda request: request.answer(206, b"x", length=1 << 40, Connection="close"), lambda request: request.answer(206, b"")):
        fake.before = lambda request, answer=answer: request.kind() == "read" and answer(request)
        refused(restore(server))
    # Bytes of the right number, but others.
    fake.before = lambda request: request.kind() == "read" and request.answer(206, bytes(length_of(request.headers["Range"])))
    refused(restore(server), "backup", status=500)
    # A server that knows no ranges.
    fake.before = lambda request: request.kind() == "read" and request.answer(200, fake.objects["b.backup"][0])
    refused(restore(server))
    assert count(server) == 3


def test_a_list_without_end_is_given_up(server, fake):
    page = b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>on</NextContinuationToken></ListBucketResult>"
    fake.before = lambda request: request.answer(200, page)
    refused(listed(server), "pages", status=413)


def test_an_object_that_is_replaced_while_it_is_restored_changes_nothing(server, fake):
    assert backup(server).status == 201
    good(server, "POST", "/api/v1/stores/docs/vectors", {"id": 9, "vector": [9, 9]})
    assert backup(server, "other").status == 201
    for reads in range(1, 5):
        whole = fake.objects["b.backup"]
        seen = []

        def before(request):
            if request.kind() == "read":
                seen.append(request)
                if len(seen) == reads:
                    fake.objects["b.backup"] = fake.objects["other.backup"]

        fake.before = before
        reply = restore(server, store="again")
        fake.before, fake.objects["b.backup"] = lambda request: False, whole
        if len(seen) >= reads:
            refused(reply, "replaced", status=503)
            problem(server.request("GET", "/api/v1/stores/again/count"), 404)
        else:
            assert reply.status == 200
            good(server, "DELETE", "/api/v1/stores/again")
    assert count(server) == 4


# ---- who is asked, and how

def test_certificates_are_checked(start, tmp_path, flags):
    pem = tmp_path / "fake.pem"
    own = self_signed(tmp_path / "ca", "IP:127.0.0.1")
    pem.write_bytes(own.key.read_bytes() + own.file.read_bytes())
    fake = Fake(pem)
    try:
        trusting = filled(start(*flags(f"https://127.0.0.1:{fake.port}", ca_file=own.file)))
        assert backup(trusting).status == 201 and restore(trusting).status == 200
        seen = len(fake.seen)
        for other, endpoint in enumerate((f"https://127.0.0.1:{fake.port}", f"https://localhost:{fake.port}")):
            ca = {"ca_file": own.file} if other else {}  # of a name that it is not for
            refused(listed(start(*flags(endpoint, **ca), directory=tmp_path / f"other{other}")), BUCKET)
        assert len(fake.seen) == seen
    finally:
        fake.stop()


def test_the_bucket_may_be_part_of_the_servers_name(start, fake, flags):
    server = filled(start(*flags(f"http://localhost:{fake.port}", path_style="false", prefix="a/b-")))
    assert backup(server).status == 201 and restore(server).status == 200
    assert {request.headers["Host"] for request in fake.seen} == {f"{BUCKET}.localhost:{fake.port}"}
    assert list(fake.objects) == ["a/b-b.backup"]


def test_a_session_token_is_sent_signed_and_read_anew(start, fake, flags, tmp_path):
    (tmp_path / "token").write_text("first-token\n")
    server = filled(start(*flags(f"http://127.0.0.1:{fake.port}", session_token_file=tmp_path / "token")))
    assert "open to other users" in json.dumps(server.log)  # the file is
    assert listed(server).status == 200
    (tmp_path / "token").write_text("second-token\n")
    assert listed(server).status == 200
    assert [request.headers["x-amz-security-token"] for request in fake.seen] == ["first-token", "second-token"]
    assert all("x-amz-security-token" in request.headers["Authorization"] for request in fake.seen)
    (tmp_path / "token").write_text("two words\n")
    refused(listed(server), "token", status=400)
    assert "second-token" not in json.dumps(server.log) and SECRET_KEY not in json.dumps(server.log)
