"""test_backup.py - backups over REST: names only, in the server's folder, for admins."""
import os

import pytest


def test_a_backup_is_made_listed_restored_and_deleted(daemon, docs):
    name = docs.rsplit("/", 1)[1]
    reply = daemon.ask("POST", f"{docs}/backups", {"backup": f"{name}.1"})
    assert reply.status == 201 and reply.headers["Location"] == f"/api/v1/backups/{name}.1"
    made = reply.json
    assert (made["records"], made["sequence"], made["encrypted"]) == (3, 3, False)
    daemon.good("POST", docs + "/vectors", {"id": "d", "vector": [1, 1, 1]})
    daemon.good("POST", f"{docs}/backups", {"backup": f"{name}.2", "base": f"{name}.1"})
    listed = daemon.good("GET", f"/api/v1/backups?store={name}")["backups"]
    assert [(one["backup"], one.get("base"), one["records"]) for one in listed] == [(f"{name}.1", None, 3), (f"{name}.2", f"{name}.1", 4)]
    assert daemon.good("POST", f"/api/v1/backups/{name}.2/verify")["entries"] == 1
    assert daemon.good("POST", f"/api/v1/backups/{name}.2/restore", {"store": f"{name}-again"})["records"] == 4
    assert daemon.good("GET", f"/api/v1/stores/{name}-again/stats")["records"] == 4
    daemon.ask("POST", f"/api/v1/backups/{name}.2/restore", {"store": name}).problem(409, name)
    daemon.good("POST", f"/api/v1/backups/{name}.2/restore", {"store": name, "replace": True, "sequence": 3})
    assert daemon.good("GET", f"{docs}/stats")["records"] == 3
    daemon.ask("DELETE", f"/api/v1/backups/{name}.1").problem(400, f"{name}.2")
    assert daemon.good("DELETE", f"/api/v1/backups/{name}.2") == {"deleted": f"{name}.2"}
    daemon.ask("POST", f"/api/v1/backups/{name}.2/verify").problem(404, f"{name}.2")


@pytest.mark.parametrize("name", ["%2Fetc%2Fpasswd", "..%2Fsystem.db", ".hidden", "a%20b", "x%00y"])
def test_paths_are_no_names(daemon, docs, name):
    for method, path, body in (("POST", f"/api/v1/backups/{name}/verify", None), ("DELETE", f"/api/v1/backups/{name}", None),
                               ("POST", f"/api/v1/backups/{name}/restore", {"store": "stolen"})):
        assert daemon.ask(method, path, body).status in (400, 404)
    daemon.ask("POST", f"{docs}/backups", {"backup": "../x"}).problem(400, "name")


def test_the_folder_and_the_key_are_settings(start, tmp_path):
    (tmp_path / "key").write_text("0123456789abcdef" * 4 + "\n")
    server = start(f"--backup_dir={tmp_path}/kept", f"--backup_key_file={tmp_path}/key", "--dev")
    server.good("POST", "/api/v1/stores", {"name": "docs", "dim": 2})
    assert server.good("POST", "/api/v1/stores/docs/backups", {"backup": "b"})["encrypted"] is True
    assert sorted(os.listdir(tmp_path / "kept")) == [".lock", "b.backup"]
    assert server.good("POST", "/api/v1/backups/b/restore", {"store": "again"})["backup"] == "b"


def test_backups_that_no_rule_keeps_are_deleted(daemon, docs):
    name = docs.rsplit("/", 1)[1]
    for backup in ("1", "2", "3"):
        daemon.good("POST", f"{docs}/backups", {"backup": f"{name}.{backup}"})
    daemon.ask("POST", "/api/v1/backups/prune", {"store": name}).problem(400, "keep")
    would = daemon.good("POST", "/api/v1/backups/prune", {"store": name, "keep": 2, "dry_run": True})
    done = daemon.good("POST", "/api/v1/backups/prune", {"store": name, "keep": 2})
    assert would == done and [one["backup"] for one in done["deleted"]] == [f"{name}.1"]
    assert daemon.good("POST", "/api/v1/backups/prune", {"store": name, "keep_days": 1})["count"] == 0
    assert [one["backup"] for one in daemon.good("GET", f"/api/v1/backups?store={name}")["backups"]] == [f"{name}.2", f"{name}.3"]
