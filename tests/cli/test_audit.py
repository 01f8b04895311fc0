"""What the command line does to a database is in its audit log, which `evdb audit` reads and checks."""
import json
import os
import re

from evdb_command import CORRUPT, EXISTS, INVALID

ME = f"local:{os.getuid()}"


def acts(evdb):
    """Of all entries so far: act, target, outcome. Reading them makes one more."""
    entries = evdb.json("audit", "ls", "--after", "0", "--limit", "1000")["entries"]
    assert all(e["who"] == ME and e["via"] == "cli" and e["count"] == 1 for e in entries)
    return [(e["act"], e["target"], e["outcome"]) for e in entries]


def test_acts_that_administer_have_a_beginning_and_an_outcome(evdb):
    evdb.text("client", "add", "app", "--scopes", "read")
    evdb.fails(EXISTS, "client", "add", "app")
    evdb.text("client", "ls")
    evdb.text("create", "docs", "--dim", "2")
    evdb.text("put", "docs", "a", "--vector", "[1,2]")
    evdb.text("backup", "docs", "monday")
    assert acts(evdb) == [("register_client", "app", "BEGUN"), ("register_client", "app", "OK"),
                          ("register_client", "app", "BEGUN"), ("register_client", "app", "EXISTS"),
                          ("list_clients", "", "OK"), ("create_store", "docs", "BEGUN"), ("create_store", "docs", "OK"),
                          ("backup_store", "docs monday", "BEGUN"), ("backup_store", "docs monday", "OK")]
    assert acts(evdb)[-1] == ("audit_list", "", "OK")


def test_what_is_refused_before_it_begins_is_no_act(evdb):
    evdb.text("create", "docs")
    evdb.fails(INVALID, "client", "add", "app", "--scopes", "root")  # the operation itself finds that
    assert acts(evdb)[2:] == [("register_client", "app", "BEGUN"), ("register_client", "app", "INVALID")]


def test_no_secret_comes_into_the_log(evdb):
    made = evdb.json("client", "add", "made")["client_secret"]
    evdb.write("secret", "canary-of-a-secret")
    evdb.text("client", "add", "chosen", "--secret", "@secret")
    evdb.text("client", "rotate", "made", "--secret", "@secret")
    log = evdb.path("data/audit.log").read_text()
    assert made not in log and "canary" not in log and '"made"' in log


def test_the_log_is_json_by_the_line_and_as_private_as_the_database(evdb):
    evdb.text("client", "add", "app")
    evdb.text("client", "ls")
    lines = [json.loads(line) for line in evdb.path("data/audit.log").read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3] and lines[1]["of"] == 1
    assert all(re.fullmatch("[0-9a-f]{64}", line["mac"]) for line in lines)
    assert evdb.path("data/audit.log").stat().st_mode & 0o777 == 0o600


def test_a_log_that_was_changed_fails_to_verify(evdb):
    evdb.text("client", "add", "app")
    evdb.text("client", "rm", "app")
    sound = evdb.json("audit", "verify")
    assert sound["problems"] == 0 and sound["entries"] == 4 and sound["head"].startswith("4:")
    log = evdb.path("data/audit.log")
    lines = log.read_bytes().splitlines(True)
    assert evdb.json("audit", "verify", "--anchor", sound["head"])["problems"] == 0
    log.write_bytes(log.read_bytes().replace(b"remove_client", b"rename_client", 1))
    done = evdb.run("audit", "verify")
    assert done.returncode == CORRUPT and b"entry 3" in done.stdout and "problems found" in done.stderr
    log.write_bytes(b"".join(lines[:2]))
    done = evdb.run("audit", "verify", "--anchor", sound["head"])
    assert done.returncode == CORRUPT and b"end of the log is missing" in done.stdout and b"anchor" in done.stdout
    evdb.fails(INVALID, "audit", "verify", "--anchor", "4")


def test_a_reader_at_the_machine_is_answered_though_the_log_cannot_be_written(evdb):
    evdb.text("create", "docs")
    log = evdb.path("data/audit.log")
    log.unlink()
    log.mkdir()
    assert evdb.json("verify")["problems"] == 0
    done = evdb.run("client", "add", "app")
    assert done.returncode != 0 and "audit.log" in done.stderr
    log.rmdir()
    assert evdb.json("client", "ls")["clients"] == []


def test_what_an_agent_is_refused_is_counted(evdb):
    evdb.text("create", "docs")
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "drop_store", "arguments": {"store": "docs"}}})
    evdb.text("mcp", "--scope", "read", stdin=f"{call}\n{call}\n".encode())
    (entry,) = evdb.json("audit", "ls", "--limit", "1")["entries"]
    assert (entry["who"], entry["via"], entry["act"], entry["target"], entry["outcome"]) == (ME, "mcp", "refused", "drop_store", "DENIED")
    assert entry["count"] == 2
