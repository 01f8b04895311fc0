"""test_client.py - `evdb client`: who may get tokens. Secrets are told once, and never read from a command line."""
import pytest
from evdb_command import EXISTS, INVALID, NOT_FOUND, USAGE


def test_a_client_is_added_listed_and_removed(evdb):
    made = evdb.json("client", "add", "app", "--scopes", "read,write", "--grant-types", "client_credentials,refresh_token")
    assert len(made["client_secret"]) >= 40
    assert made["scopes"] == ["read", "write"] and made["grant_types"] == ["client_credentials", "refresh_token"]
    (listed,) = evdb.json("client", "ls")["clients"]
    assert listed["client_id"] == "app" and listed["secret"] == "made"
    assert made["client_secret"] not in evdb.text("client", "ls")
    assert "'app'" in evdb.fails(EXISTS, "client", "add", "app")
    assert evdb.json("client", "rm", "app") == {"removed": "app"}
    assert "'app'" in evdb.fails(NOT_FOUND, "client", "rm", "app")


def test_least_is_given_unless_more_is_asked_for(evdb):
    assert evdb.json("client", "add", "app")["scopes"] == ["read"]
    assert evdb.json("client", "add", "boss", "--scopes", "admin")["scopes"] == ["read", "write", "admin"]
    assert "'root'" in evdb.fails(INVALID, "client", "add", "other", "--scopes", "root")


def test_a_secret_comes_from_a_file_or_standard_input(evdb):
    evdb.write("secret", "correct horse battery\n")
    assert "client_secret" not in evdb.json("client", "add", "app", "--secret", "@secret")
    assert "client_secret" not in evdb.json("client", "rotate", "app", "--secret", "-", stdin=b"another long one")
    assert evdb.json("client", "ls")["clients"][0]["secret"] == "chosen"
    assert evdb.json("client", "rotate", "app")["client_secret"]
    assert evdb.json("client", "ls")["clients"][0]["secret"] == "made"
    evdb.fails(NOT_FOUND, "client", "add", "other", "--secret", "@none")


@pytest.mark.parametrize("secret", ["hunter22", "--", ""])
def test_a_secret_on_the_command_line_is_refused_unseen(evdb, secret):
    complaint = evdb.fails(USAGE, "client", "add", "app", f"--secret={secret}")
    assert "@FILE" in complaint and "hunter22" not in complaint
    assert "app" not in evdb.run("client", "ls").stdout.decode()


@pytest.mark.parametrize("secret", [b"short", b"", b"with\nnewline", b"admin_secret_2024", b"x" * 257, b"\xff" * 10])
def test_a_bad_secret_is_refused(evdb, secret):
    evdb.fails(INVALID, "client", "add", "app", "--secret", "-", stdin=secret)
    assert evdb.json("client", "add", "app")["client_id"] == "app"
