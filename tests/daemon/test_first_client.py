"""test_first_client.py - the client a database begins with: its secret, --dev, and the published secret refused."""
import json
import re
import time

import pytest
from evdbd import DATABASE_FAILED, DEV_CLIENT, DEV_SECRET, FORM, PATIENCE, NotReady, Server, basic, library


def refused(reply):
    return reply.status == 401 and json.loads(reply.body)["error"] == "invalid_client"


def good(reply):
    return reply.status == 200 and json.loads(reply.body)["token_type"] == "Bearer"


# ---- a secret that is made

def test_the_first_start_makes_admin_with_a_random_secret_in_a_file_of_its_owner(start, tmp_path):
    servers = [start(directory=tmp_path / name) for name in "ab"]
    secrets = {server.admin()[1] for server in servers}
    assert len(secrets) == 2 and all(re.fullmatch(r"[\w-]{43}", secret) for secret in secrets)
    for server in servers:
        assert (server.directory / "admin.secret").stat().st_mode & 0o777 == 0o600
        reply = server.grant()
        assert good(reply) and json.loads(reply.body)["scope"] == "read write admin"


def test_the_secret_is_not_in_the_log(server):
    assert server.admin()[1] not in json.dumps(server.log)
    assert any(entry.get("file") == str(server.directory / "admin.secret") for entry in server.log)


def test_a_second_start_keeps_the_secret(start):
    first = start()
    secret = first.admin()[1]
    first.stop()
    second = start()
    assert second.admin()[1] == secret and good(second.grant())


def test_a_configured_secret_is_used_and_written_nowhere(start):
    server = start("--default-client-id=boss", env={"EVDB_DEFAULT_CLIENT_SECRET": "correct horse"})
    assert not (server.directory / "admin.secret").exists()
    assert good(server.grant("boss", "correct horse")) and refused(server.grant("admin", "correct horse"))


def test_a_database_may_begin_without_clients(start):
    server = start("--create-default-client=false")
    assert refused(server.grant("admin", "anything"))
    assert not (server.directory / "admin.secret").exists()


def test_the_secret_of_a_server_in_memory_is_printed_once_and_not_logged(tmp_path):
    server = Server(tmp_path / "data", "--persistence-enabled=false")
    line = server.process.stdout.readline()
    client, secret = re.fullmatch(r"evdbd: the secret of client (\w+), shown this once: (\S+)\n", line).groups()
    assert good(server.grant(client, secret)) and secret not in json.dumps(server.log)
    server.stop()


def test_a_secret_that_cannot_be_written_leaves_no_client_behind(start, tmp_path):
    start("--create-default-client=false").stop()
    (tmp_path / "data/admin.secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotReady) as caught:
        start()
    assert caught.value.status == DATABASE_FAILED and "admin.secret" in caught.value.detail
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "data/admin.secret").unlink()
    assert good(start().grant())


# ---- the file goes when the secret has been replaced

def await_absence(server, file):
    """The server looks once a second; until then it serves."""
    until = time.monotonic() + PATIENCE
    while file.exists():
        assert server.ask("GET", "/healthz").status == 200
        assert time.monotonic() < until, "the file stays"


def replace_secret(directory, client, secret):
    library(directory, "evdb_auth_client_rotate", client, secret, None, None)


def test_the_file_goes_while_the_server_runs(server):
    file = server.directory / "admin.secret"
    old = server.admin()[1]
    replace_secret(server.directory, "admin", "my own secret")
    await_absence(server, file)
    assert refused(server.grant("admin", old)) and good(server.grant("admin", "my own secret"))
    assert any(entry["message"].startswith("removed a file") for entry in server.log)


def test_the_file_goes_at_the_next_start(start):
    server = start()
    server.stop()
    replace_secret(server.directory, "admin", "my own secret")
    assert (server.directory / "admin.secret").exists()
    again = start()
    await_absence(again, server.directory / "admin.secret")
    assert good(again.grant("admin", "my own secret"))


def test_the_file_stays_when_another_client_is_the_default_now(start):
    start().stop()
    server = start("--default-client-id=other")
    assert (server.directory / "admin.secret").exists() and good(server.grant())


# ---- the published secret

def test_dev_accepts_the_published_secret_and_says_so(start):
    server = start("--dev")
    assert good(server.grant(DEV_CLIENT, DEV_SECRET))
    assert good(server.form({"grant_type": "client_credentials"}, [basic(DEV_CLIENT, DEV_SECRET),
                                                                  f"Content-Type: {FORM}"]))
    warning = next(entry for entry in server.log if entry["level"] == "warning")
    assert warning["message"].startswith("DEVELOPMENT MODE") and DEV_SECRET in warning["message"]
    assert not (server.directory / "admin.secret").exists()


def test_dev_starts_again_on_its_own_database(start):
    start("--dev").stop()
    assert good(start("--dev").grant(DEV_CLIENT, DEV_SECRET))


def test_dev_is_for_loopback_alone(start):
    with pytest.raises(NotReady) as caught:
        start("--dev", "--address=0.0.0.0", "--allow-plaintext=true", "--allow-unauthenticated=true")
    assert "must be loopback with --dev" in caught.value.detail


def test_dev_does_not_touch_a_database_whose_admin_has_a_secret_of_its_own(start):
    server = start()
    secret = server.admin()[1]
    server.stop()
    with pytest.raises(NotReady) as caught:
        start("--dev")
    assert caught.value.status == DATABASE_FAILED
    assert "--dev: this database has a client 'admin' with a secret of its own" in caught.value.detail
    assert good(start().grant(DEV_CLIENT, secret))


def test_the_published_secret_is_refused_without_dev(start):
    server = start()
    assert refused(server.grant(DEV_CLIENT, DEV_SECRET))
    assert refused(server.form({"grant_type": "client_credentials"}, [basic(DEV_CLIENT, DEV_SECRET),
                                                                     f"Content-Type: {FORM}"]))
    assert refused(server.form({"grant_type": "refresh_token", "client_id": DEV_CLIENT, "client_secret": DEV_SECRET,
                                "refresh_token": "any"}))
    assert server.ask("GET", "/api/v1/stores", headers=[f"Authorization: Bearer {DEV_SECRET}"]).status == 401


def test_a_database_used_with_dev_is_retired_by_a_normal_start(start):
    dev = start("--dev")
    granted = json.loads(dev.grant().body)
    dev.stop()
    server = start()
    assert refused(server.grant(DEV_CLIENT, DEV_SECRET))
    assert server.request("GET", "/api/v1/stores", token=granted["access_token"]).status == 401
    secret = (server.directory / "admin.secret").read_text().strip()
    assert good(server.grant(DEV_CLIENT, secret))
    server.stop()
    with pytest.raises(NotReady):  # it has a secret of its own now
        start("--dev")
