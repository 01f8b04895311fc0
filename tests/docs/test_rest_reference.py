"""The REST reference names every operation with its scope and its arguments, and no other."""
import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVDBD = Path(os.environ.get("EVDB_BUILD", ROOT / "build")) / "evdbd"
ROW = re.compile(r"^\| `([A-Z]+) (/api/v1/[^`]*)` \| (read|write|admin) \| ?(.*?) ?\|$", re.M)


def test_the_rest_reference_is_the_operation_table():
    table = json.loads(subprocess.run([EVDBD, "--print-operations"], check=True, capture_output=True).stdout)
    described = {(method, path): (scope, set(re.findall(r"`([a-z_]+)`", arguments)), "*raw*" in arguments)
                 for method, path, scope, arguments in ROW.findall((ROOT / "server/proto/README.md").read_text() + "\n")}
    wanted = {}
    for o in table:
        in_path = set(re.findall(r"{([a-z_]+)}", o["path"]))
        in_path |= {"store"} if "name" in in_path else set()
        wanted[o["method"], o["path"]] = o["scope"], set(o["input"]["properties"]) - in_path, o["raw_body"]
    assert described == wanted
