"""test_admin_reset.py - `evdbd admin reset`: a new secret for the owner of the directory, and for nobody else."""
import json
import os
import shutil
import socket
import stat
import subprocess
import time

import pytest
from evdbd import CONFIG_FAILED, DATABASE_FAILED, PATIENCE, PROGRAM, library, problem


def reset(directory, *flags, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVDB_")}
    return subprocess.run([PROGRAM, "admin", "reset", "--data", directory, *flags], capture_output=True, text=True, env=clean,
                          timeout=PATIENCE, **options)


def done(directory, *flags):
    """It is; the new secret."""
    ran = reset(directory, *flags)
    assert ran.returncode == 0, ran.stderr
    file = directory / "admin.secret"
    secret = file.read_text().strip()
    assert str(file) in ran.stdout and secret not in ran.stdout + ran.stderr and file.stat().st_mode & 0o777 == 0o600
    return secret


def acts(directory):
    log = [json.loads(line) for line in (directory / "audit.log").read_text().splitlines()]
    return [(e["who"], e["via"], e["target"], e["outcome"]) for e in log if e["act"] == "admin_reset"]


def test_the_running_server_gives_its_owner_a_new_secret(server):
    client, old = server.admin()
    token = server.token()
    new = done(server.directory)
    assert new != old and server.grant(client, old).status == 401
    assert json.loads(server.grant(client, new).body)["scope"] == "read write admin"
    problem(server.request("GET", "/api/v1/stores", token=token), 401)
    me = f"local:{os.getuid()}"
    assert acts(server.directory) == [(me, "admin", "admin", "BEGUN"), (me, "admin", "admin", "OK")]
    assert new not in json.dumps(server.log) and new not in (server.directory / "audit.log").read_text()
    assert stat.S_IMODE((server.directory / "admin.sock").stat().st_mode) == 0o600
    library(server.directory, "evdb_auth_client_rotate", "admin", "correct horse", None)
    until = time.monotonic() + PATIENCE  # the file of the reset is watched as that of the first start
    while (server.directory / "admin.secret").exists():
        assert time.monotonic() < until


def test_without_a_server_the_database_itself_is_changed(start):
    first = start()
    old = first.admin()[1]
    first.stop()
    assert not (first.directory / "admin.sock").exists()
    new = done(first.directory)
    second = start()
    assert second.grant("admin", old).status == 401 and second.grant("admin", new).status == 200
    assert acts(second.directory)[-1][3] == "OK"


def test_a_client_that_was_removed_or_may_not_administer_comes_back(server):
    for scopes in (None, 1):
        library(server.directory, "evdb_auth_client_remove", "admin")
        if scopes:
            library(server.directory, "evdb_auth_client_add", "admin", "correct horse", scopes, 0, None)
        assert json.loads(server.grant("admin", done(server.directory)).body)["scope"] == "read write admin"


def test_another_first_client_is_reset_by_its_name(start):
    server = start("--default-client-id=boss")
    assert server.grant("boss", done(server.directory)).status == 200  # the server knows which it is


def test_a_socket_that_a_killed_server_left_is_in_nobodys_way(start):
    first = start()
    first.kill()
    assert (first.directory / "admin.sock").exists()
    secret = done(first.directory)
    second = start()
    assert second.grant("admin", secret).status == 200
    assert second.grant("admin", done(second.directory)).status == 200


def test_of_two_servers_either_may_end_first(start):
    one, two = start(), start()
    assert one.grant("admin", done(one.directory)).status == 200
    two.stop()
    secret = done(one.directory)  # the socket is gone with the one that had it
    assert one.grant("admin", secret).status == 200
    three = start()
    one.stop()
    assert (three.directory / "admin.sock").exists() and three.grant("admin", done(three.directory)).status == 200


def test_a_path_that_is_too_long_for_a_socket_is_served(start, tmp_path):
    directory = tmp_path / ("d" * 120) / "data"
    directory.parent.mkdir()
    server = start(directory=directory)
    assert (directory / "admin.sock").is_socket()
    assert server.grant("admin", done(directory)).status == 200
    assert not any(entry["level"] == "warning" for entry in server.log)


def ask(directory, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(str(directory / "admin.sock"))
        s.sendall(line)
        return s.recv(1000)


def test_other_requests_are_refused_and_harm_nothing(server):
    for line in (b"rest\n", b"\n", b"x" * 100, b"reset\nreset\n", b"reset\0\n"):
        assert b"not 'reset'" in ask(server.directory, line)
    assert acts(server.directory) == []
    assert server.grant("admin", done(server.directory)).status == 200


def test_another_user_is_refused_whatever_the_modes_are(server):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can ask as another user, by setpriv")
    old = server.admin()[1]
    path = server.directory
    while path != path.parent:  # the way there, and the socket itself, are open to all
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
        path = path.parent
    (server.directory / "admin.sock").chmod(0o666)
    program = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'reset\\n'); "
               "print(s.recv(1000).decode())")
    ran = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", program, server.directory / "admin.sock"],
                         capture_output=True, text=True, cwd="/")
    assert "user 65534 is not the owner" in ran.stdout, ran.stderr
    assert server.grant("admin", old).status == 200 and acts(server.directory) == []
    server.stop()
    assert '"who":"local:65534","via":"admin","act":"refused"' in (server.directory / "audit.log").read_text()


def test_root_leaves_nothing_that_the_owner_could_not_use(start, tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root acts for others")
    first = start()
    first.stop()
    for path in (first.directory, *first.directory.rglob("*")):
        os.chown(path, 65534, 65534)
    path = first.directory.parent
    while path != path.parent:
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
        path = path.parent
    done(first.directory)
    assert {p.stat().st_uid for p in first.directory.rglob("*")} == {65534}
    assert acts(first.directory)[-1] == ("local:0", "admin", "admin", "OK")


def test_where_there_is_nothing_to_reset_it_says_so(start, tmp_path):
    for directory, flags, status, says in (
            (tmp_path / "none", (), DATABASE_FAILED, "No such file"), (tmp_path, (), DATABASE_FAILED, "there is no database"),
            (tmp_path, ("--persistence-enabled=false",), DATABASE_FAILED, "in memory"),
            (tmp_path, ("--prot=1",), CONFIG_FAILED, "no such flag")):
        ran = reset(directory, *flags)
        assert ran.returncode == status and says in ran.stderr and ran.stdout == "", ran.stderr
    dev = start("--dev")
    ran = reset(dev.directory)
    assert ran.returncode == DATABASE_FAILED and "--dev" in ran.stderr
    assert not (dev.directory / "admin.secret").exists()
