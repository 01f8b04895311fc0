"""test_config.py - settings: the file, the environment, flags, and what is refused."""
import re
import subprocess
import tomllib

import pytest
from evdbd_config import PROGRAM, ROOT, refusal, run, values

SETTING = re.compile(r'^SETTING\((\w+), (\w+), "([^"]*)", (\d+), (\d+), "(.*)"\)$', re.M)
SETTINGS = SETTING.findall((ROOT / "server/config/settings.def").read_text())
NAMES = [name for name, *_ in SETTINGS]
DEFAULTS = values()
# The historic server's configuration, every setting of it by its name.
ORIGINAL = """
mcp_port = 8080
oauth_port = 8081
rest_api_port = 8082
rest_api_enabled = true
oauth_enabled = true
create_default_client = true
default_client_id = "admin"
token_lifetime = 3600000 # 1 hour
refresh_token_lifetime = 86400000 # 24 hours
cluster_enabled = false
node_name = 'erlvectordb@localhost'
cluster_cookie = "erlvectordb_cluster"
replication_factor = 2
heartbeat_interval = 5000
compression_enabled = false
compression_algorithm = "quantization_8bit"
persistence_enabled = true
persistence_dir = "data"
backup_dir = "backups"
sync_interval = 30000
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "evdbd.conf"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_the_list_of_settings_is_understood_here():
    assert len(NAMES) > 20 and list(DEFAULTS) == NAMES


# ---- the commented file

def test_the_commented_file_lists_every_setting_with_its_default_and_nothing_else():
    text = (ROOT / "server/evdbd.conf").read_text()
    lines = [line for line in text.splitlines() if line.strip()]
    assert all(line.startswith("#") for line in lines)
    shown = [line[1:] for line in lines if re.match(r"#\w+ = ", line)]
    assert sorted(line.split(" = ")[0] for line in shown) == sorted(NAMES)
    assert tomllib.loads("\n".join(shown)) == DEFAULTS


def test_the_commented_file_is_accepted_as_it_is_and_without_its_comment_signs(file):
    path = ROOT / "server/evdbd.conf"
    assert run("--config", path, "--check-config").stdout == b"the configuration is good\n"
    bare = re.sub(r"^#(\w+ = )", r"\1", path.read_text(), flags=re.M)
    assert values("--config", file(bare)) == DEFAULTS


def test_the_manual_page_explains_every_setting_and_shows_its_default():
    page = (ROOT / "server/evdbd.conf.5").read_text().replace("\\(dq", '"')
    shown = re.findall(r"^\.It Ic (\w+) No (= .*)\n[^.]|^\.It Ic (\w+) No (= .*)\n\.[^I]", page, re.M)
    lines = [(name or other) + " " + (value or second) for name, value, other, second in shown]
    assert sorted(line.split(" ")[0] for line in lines) == sorted(NAMES)
    assert tomllib.loads("\n".join(lines)) == DEFAULTS


@pytest.mark.parametrize("page", ["evdbd.8", "evdbd.conf.5"])
def test_a_manual_page_is_well_formed(page):
    try:
        lint = subprocess.run(["mandoc", "-Tlint", ROOT / "server" / page], capture_output=True, text=True).stdout
    except FileNotFoundError:
        pytest.skip("mandoc is not installed")
    # cross references to pages that are not installed here are fine
    assert [line for line in lint.splitlines() if "referenced manual not found" not in line] == []


# ---- values

def test_the_historic_configuration_is_read(file):
    expected = {**DEFAULTS, **tomllib.loads(ORIGINAL), "cluster_cookie": "***"}
    assert values("--config", file(ORIGINAL)) == expected


@pytest.mark.parametrize("text,ms", [
    ("3600000", 3600000), ('"1h"', 3600000), ("'60m'", 3600000), ('"3600s"', 3600000), ('"1d"', 86400000),
    ('"1500ms"', 1500), ('"1500"', 1500), ("1_500", 1500), ("+1500", 1500),
])
def test_a_lifetime_is_milliseconds_or_a_time_with_its_unit(file, text, ms):
    assert values("--config", file(f"token_lifetime = {text}"))["token_lifetime"] == ms


@pytest.mark.parametrize("text", ['"1w"', '"h"', '"1 h"', '"1.5h"', '"-1h"', '""', "0", "-5", "999", '"366d"', "true", "1h", "1e6",
                                  '"99999999999999999999h"', "99999999999999999999", '"9223372036854775807d"'])
def test_what_is_no_lifetime_is_refused(file, text):
    path = file(f"\ntoken_lifetime = {text}")
    assert refusal("--config", path).startswith(f"{path}:2: ")


def test_secrets_are_not_shown(file):
    path = file('default_client_secret = "a secret of mine"\ncluster_cookie = "another one"')
    done = run("--config", path, "--print-config")
    assert b"secret of mine" not in done.stdout and b"another" not in done.stdout
    assert done.stdout.count(b'"***"') == 2


# ---- precedence

def test_a_flag_outranks_the_environment_which_outranks_the_file_which_outranks_the_default(file):
    path = file("mcp_port = 1\noauth_port = 1\nrest_api_port = 1\n")
    env = {"EVDB_OAUTH_PORT": "2", "EVDB_REST_API_PORT": "2"}
    found = values("--rest-port=3", "--config", path, env=env)
    assert [found[name] for name in ("mcp_port", "oauth_port", "rest_api_port", "max_body")] == [1, 2, 3, 33554432]


def test_every_setting_has_a_variable_and_a_flag():
    changed = {}
    for name, kind, default, least, most, _ in SETTINGS:
        changed[name] = {"TEXT": "abc", "SECRET": "", "ADDRESS": "127.0.0.9", "LEVEL": "debug"}.get(kind) or {
            "BOOL": "false", "INT": least, "MS": least, "SECRET": ""}[kind]
    changed.update(sync="interval", token_format="opaque", backup_schedule="6h", backup_target="s3", backup_dir="/abc", s3_endpoint="https://[::1]:9000",
                   oidc_issuer="https://id.example", issuer="https://db.example",
                   mcp_url="https://db.example/mcp", rest_url="https://db.example/api/v1")  # texts that must make sense
    found = values(env={f"EVDB_{name.upper()}": value for name, value in changed.items()})
    assert {name: str(value).replace("False", "false") for name, value in found.items()} == changed
    assert values(*[f"--{name.replace('_', '-')}={value}" for name, value in changed.items()]) == found
    assert values(*[word for name, value in changed.items() for word in (f"--{name}", value)]) == found


def test_one_port_for_all_and_the_short_flags():
    found = values("--port", "9000", "--data", "/somewhere")
    assert [found[name] for name in ("mcp_port", "oauth_port", "rest_api_port")] == [9000] * 3
    assert found["persistence_dir"] == "/somewhere"
    assert values("--port", "9000", "--oauth-port=9001")["oauth_port"] == 9001


def test_variables_of_other_parts_and_unknown_ones_are_not_read():
    others = {f"EVDB_{name}": "/nowhere" for name in ("DATA", "LIBRARY", "BUILD", "SEED", "KILLS", "ANYTHING")}
    assert values(env={**others, "EVDB": "x"}) == DEFAULTS


# ---- what is refused, and where it is

@pytest.mark.parametrize("line,message", [
    ("mcp_prot = 1", "there is no setting 'mcp_prot'"),
    ("mcp_port = 65536", "mcp_port is 65536, but must be 0..65535"),
    ("mcp_port = -1", "mcp_port is -1, but must be 0..65535"),
    ('mcp_port = "8080"', "mcp_port must be a whole number, not '8080'"),
    ("mcp_port = 080", "mcp_port must be a whole number, not '080'"),
    ("mcp_port = 8080 9", "something follows the value"),
    ("mcp_port =", "a value is missing"),
    ("mcp_port", "expected `setting = value`"),
    ("rest_api_enabled = 1", "rest_api_enabled must be true or false, not '1'"),
    ('rest_api_enabled = "true"', "rest_api_enabled must be true or false, not 'true'"),
    ("persistence_dir = data", "a value must be a string in quotes, a whole number, true or false"),
    ("persistence_dir = 5", "persistence_dir must be a string in quotes"),
    ('persistence_dir = ""', "persistence_dir has 0 bytes, but must have 1..4000"),
    ('log_level = "loud"', "log_level must be error, warning, info or debug, not 'loud'"),
    ('address = "localhost"', "address must be an IPv4 or IPv6 address in numbers, not 'localhost'"),
    ("max_connections = 0", "max_connections is 0, but must be 1..100000"),
    ("[network]", "tables are not supported: every setting is at the top level"),
    ("token_lifetime = 5000\ntoken_lifetime = 6000", "token_lifetime is set a second time"),
    ("compression_algorithm = 'lzma'\ncompression_enabled = true", "compression_algorithm: there is no codec 'lzma'"),
    ("compression_algorithm = ''\ncompression_enabled = true", "compression_algorithm: a codec is missing"),
    ("sync = 'never'", "sync must be full or interval, not 'never'"),
    ("backup_schedule = '0 3 * *'", "backup_schedule: it must have five fields: minute, hour, day, month and weekday"),
    ("backup_schedule = '0 0 30 feb *'", "backup_schedule: no month of these has such a day"),
    ("backup_schedule = '0 24 * * *'", "backup_schedule: '24' is no hour: 0 to 23, lists, ranges, * and steps"),
    ("backup_schedule = 'hourly'",
     'backup_schedule: it must be a time like "6h", of 1 second to 366 days, or five fields like "0 3 * * *"'),
    ("backup_schedule = '1h'\npersistence_enabled = false",
     "backup_schedule: a database in memory has no folder of backups, unless backup_dir begins with '/'"),
    ("backup_target = 'tape'", "backup_target must be local or s3, not 'tape'"),
    ("backup_target = 's3'", "backup_target is s3, but s3_endpoint is not set: there is no bucket"),
    ("backup_full_every = 1000", "backup_full_every is 1000, but must be 0..999"),
    ("cluster_enabled = true", "cluster_enabled: clustering is not built yet"),
    ("oauth_enabled = false\naddress = '0.0.0.0'\nallow_plaintext = true",
     "oauth_enabled = false on 0.0.0.0 lets everybody in: set allow_unauthenticated as well"),
    ("address = '192.0.2.1'",
     "address 192.0.2.1: plain HTTP shows tokens to the network: set tls_cert_file and tls_key_file, or allow_plaintext"),
    ("tls_cert_file = 'a.pem'", "tls_cert_file is set, but tls_key_file is not: TLS needs both"),
    ("tls_key_file = 'a.key'", "tls_key_file is set, but tls_cert_file is not: TLS needs both"),
    ('default_client_secret = "admin_secret_2024"',
     "default_client_secret: that secret is published and refused; see --dev"),
    ('default_client_secret = "1234567"', "default_client_secret is too short: it must have 8 bytes or more"),
], ids=lambda value: "")
def test_a_fault_in_the_file_names_file_and_line(file, line, message):
    path = file("# a comment\n\n" + line)
    number = 4 if message.endswith("second time") else 3
    said = refusal("--config", path)
    if message.startswith("compression_algorithm"):  # the library's sentence, which lists what there is
        said = said[:len(f"{path}:{number}: {message}")]
    assert said == f"{path}:{number}: {message}"


@pytest.mark.parametrize("env,flags,message", [
    ({"EVDB_MCP_PORT": "x"}, [], "EVDB_MCP_PORT: mcp_port must be a whole number, not 'x'"),
    ({"EVDB_MCP_PORT": ""}, [], "EVDB_MCP_PORT: mcp_port must be a whole number, not ''"),
    ({"EVDB_CLUSTER_ENABLED": "true"}, [], "EVDB_CLUSTER_ENABLED: cluster_enabled: clustering is not built yet"),
    ({}, ["--port=70000"], "--port: mcp_port is 70000, but must be 0..65535"),
    ({}, ["--data", ""], "--data: persistence_dir has 0 bytes, but must have 1..4000"),
    ({}, ["--persistence-enabled", "maybe"], "--persistence-enabled: persistence_enabled must be true or false, not 'maybe'"),
    ({}, ["--prot=1"], "--prot: there is no such flag (see --help)"),
    ({}, ["--dev=true"], "--dev takes no value"),
    ({}, ["--port"], "--port needs a value"),
    ({}, ["serve"], "'serve' is not a flag (see --help)"),
    ({}, ["--"], "'--' is not a flag (see --help)"),
    ({}, ["--config", "/nowhere/evdbd.conf"], "/nowhere/evdbd.conf: No such file or directory"),
    ({}, ["--config", "/"], "/: cannot be read: Is a directory"),
    ({}, ["--dev", "--address=0.0.0.0", "--allow-plaintext=true"],
     "--address: address is 0.0.0.0, but must be loopback with --dev: its secret is published"),
], ids=lambda value: "")
def test_a_fault_elsewhere_names_its_variable_or_flag(env, flags, message):
    assert refusal(*flags, env=env) == message


def test_a_flag_can_undo_what_the_file_may_not_say(file):
    path = file("compression_enabled = true\ncompression_algorithm = 'lzma'\ncluster_enabled = true")
    assert values("--config", path, "--compression-algorithm=quantization_8bit", "--compression-enabled=false", "--cluster-enabled", "false") == DEFAULTS


def test_a_codec_is_checked_only_where_it_is_used(file):
    assert values("--config", file("compression_algorithm = 'lzma'"))["compression_algorithm"] == "lzma"
    for codec in ("quantization_8bit", "f16+zlib", "zlib_compression", "i4"):
        assert values("--compression-enabled=true", f"--compression-algorithm={codec}")["compression_algorithm"] == codec


def test_an_open_server_needs_flags_that_say_so():
    off_loopback = ["--address=0.0.0.0", "--allow-plaintext=true"]
    assert values(*off_loopback)["oauth_enabled"]
    assert not values("--oauth-enabled=false")["oauth_enabled"]
    assert not values(*off_loopback, "--oauth-enabled=false", "--allow-unauthenticated=true")["oauth_enabled"]
    for loopback in ("127.0.0.1", "127.9.9.9", "::1"):
        assert values(f"--address={loopback}", "--oauth-enabled=false", "--dev")["address"] == loopback


# ---- help

def test_help_opens_with_an_example_that_is_accepted_and_names_every_setting():
    text = run("--help").stdout.decode()
    title, example, *_ = text.splitlines()
    assert title == "Example:"
    program, *flags = example.split()
    assert program == "evdbd" and values(*flags)
    assert all(re.search(rf"\b{name}\b", text) for name in NAMES)


def test_help_and_version_do_not_depend_on_the_configuration():
    for flag in ("--help", "--version"):
        done = run(flag, "--config", "/nowhere", env={"EVDB_MCP_PORT": "x"})
        assert (done.returncode, done.stderr) == (0, b"") and done.stdout


def test_checking_touches_nothing(tmp_path):
    for flag in ("--check-config", "--print-config", "--help", "--version", "--print-operations"):
        assert run(flag, cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == [] and PROGRAM.exists()


# ---- a bucket of backups

BUCKET = {"endpoint": "https://s3.example:9000", "bucket": "backups", "access_key": "AK", "secret_key_file": "/etc/evdb/secret"}


def bucket(**changes):
    return [f"--s3_{name}={value}" for name, value in {**BUCKET, **changes}.items()]


def test_a_bucket_needs_all_of_its_settings_or_none():
    assert run("--check-config", *bucket(), "--s3_prefix=evdb/2/", "--s3_ca_file=/etc/ca.pem").returncode == 0
    for name in BUCKET:
        given = next(other for other in BUCKET if other != name)
        assert refusal(*bucket(**{name: ""})) == f"--s3_{given}: s3_{given} is set, but s3_{name} is not: a bucket needs both"
    for name in ("prefix", "session_token_file", "ca_file"):
        assert f"s3_{name} is set" in refusal(f"--s3_{name}=x")


@pytest.mark.parametrize("endpoint", ["s3.example", "ftp://s3.example", "https://", "https://:9000", "https://s3.example/", "https://s3.example/b",
                                      "https://u:p@s3.example", "https://s3.example:", "https://s3.example:port", "https://s3.example:1234567",
                                      "https://s3.example?x", "https://s3 example", "https://[::1", "https://[::1]x", "HTTPS://s3.example"])
def test_an_endpoint_is_a_server_and_nothing_more(endpoint):
    assert "s3_endpoint must be https://HOST" in refusal(*bucket(endpoint=endpoint))


@pytest.mark.parametrize("endpoint", ["http://s3.example", "http://10.0.0.1:9000", "http://127.example", "http://localhost.example"])
def test_plain_http_needs_its_permission_off_loopback(endpoint):
    assert "allow_plaintext" in refusal(*bucket(endpoint=endpoint))
    assert run("--check-config", "--allow_plaintext=true", *bucket(endpoint=endpoint)).returncode == 0


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000", "https://[2001:db8::1]", "https://s3.example"])
def test_loopback_and_tls_need_none(endpoint):
    assert run("--check-config", *bucket(endpoint=endpoint)).returncode == 0


def test_names_that_no_bucket_key_or_region_has_are_refused():
    for name, values_of in {"bucket": ["ab", "a..b", "a/b", "a b"], "prefix": ["/a", "a//b", "../a", "a b", "ä"], "region": ["eu west", "eu/1"],
                            "access_key": ["a b", "a,b"]}.items():
        for value in values_of:
            assert f"s3_{name}" in refusal(*bucket(**{name: value}))
    assert "s3_path_style" in refusal(*bucket(bucket="a.b", path_style="false"))
    assert run("--check-config", *bucket(bucket="a.b")).returncode == 0


# ---- an issuer of tokens

def issuer(url="https://id.example/realm", audience="evdb", *flags):
    return [f"--oidc_issuer={url}", f"--oidc_audience={audience}", *flags]


def test_an_issuer_and_an_audience_need_each_other():
    assert run("--check-config", *issuer()).returncode == 0
    assert "oidc_audience is not" in refusal(*issuer(audience=""))
    assert "oidc_issuer is not" in refusal(*issuer(url=""))


@pytest.mark.parametrize("url", ["id.example", "http:/id.example", "https://", "https://id.example?x", "https://id.example/a?b", "https://id.example/#",
                                 "https://u@id.example/", "https://id.example/a b", "https://id.example/\u00e4", "HTTPS://id.example"])
def test_an_issuer_is_a_server_and_a_path_perhaps(url):
    assert "oidc_issuer" in refusal(*issuer(url))


def test_the_own_url_is_one_too():
    for url in ("https://db.example", "https://db.example:8443/a/b", "http://localhost:8081"):
        assert run("--check-config", f"--issuer={url}").returncode == 0
    for url in ("db.example", "https://", "https://db.example?x", "http://db.example", "https://db.example/a\"b"):
        assert refusal(f"--issuer={url}").startswith("--issuer")


def test_an_issuer_off_loopback_is_asked_over_tls():
    for url in ("http://id.example", "http://127.example/", "http://10.0.0.1:8080/realm"):
        assert "must be https" in refusal(*issuer(url), "--allow_plaintext=true")
    for url in ("http://127.0.0.1:8080/realm", "http://localhost", "http://[::1]:80/", "https://id.example:8443", "https://[2001:db8::1]/"):
        assert run("--check-config", *issuer(url)).returncode == 0
    assert "83 bytes" in refusal(*issuer("https://" + "a" * 84))
    assert run("--check-config", *issuer("https://" + "a" * 83)).returncode == 0
