"""The binding's idea of the C interface, compared with the headers and the C compiler."""
import ctypes
import os
import re
import subprocess

import pytest

import evdb
from evdb import _abi, errors
from evdb._library import lib

STRUCTS = {
    re.search(r"evdb_\w+", kind.__doc__).group(): kind
    for kind in vars(_abi).values()
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and (kind.__doc__ or "").startswith("evdb_")
}
CONSTANTS = {
    "EVDB_NO_ITEM": _abi.NO_ITEM, "EVDB_IO": _abi.IO, "EVDB_CORRUPT": _abi.CORRUPT,
    "EVDB_BATCH_MAX": _abi.BATCH_MAX, "EVDB_BATCH_BYTES_MAX": _abi.BATCH_BYTES_MAX,
    "EVDB_INSERT": _abi.INSERT, "EVDB_UPSERT": _abi.UPSERT, "EVDB_UPDATE": _abi.UPDATE, "EVDB_DELETE": _abi.DELETE,
    "EVDB_BATCH_PARTIAL": _abi.BATCH_PARTIAL, "EVDB_OPEN_EXISTING": _abi.OPEN_EXISTING,
    "EVDB_METRIC_GRAPH": _abi.METRIC_GRAPH, "EVDB_SEARCH_METADATA": _abi.SEARCH_METADATA, "EVDB_CURSOR_NO_VECTORS": _abi.CURSOR_NO_VECTORS,
    "EVDB_CURSOR_SKIP_DAMAGED": _abi.CURSOR_SKIP_DAMAGED, "EVDB_F32": _abi.F32,
    "EVDB_CODEC_SPEC_MAX": _abi.CODEC_SPEC_MAX, "EVDB_CODEC_LOSSLESS": _abi.CODEC_LOSSLESS, "EVDB_CODEC_TRAINED": _abi.CODEC_TRAINED,
    "EVDB_STAGE_TRANSFORM": 1, "EVDB_STAGE_QUANTISER": 2, "EVDB_STAGE_BYTES": 3,
    "EVDB_ID_INTEGER": _abi.ID_TYPES.index("integer"), "EVDB_ID_STRING": _abi.ID_TYPES.index("string"),
    "EVDB_CHANGE_PUT": 1, "EVDB_CHANGE_UPDATE": 2, "EVDB_CHANGE_DELETE": 3, "EVDB_STOP_LIMIT": 1,
    "EVDB_PHASE_CHECK": 1, "EVDB_PHASE_WRITE": 2,
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """What the C compiler says: {"evdb_id": size, "evdb_id.text": offset, ..., "EVDB_BATCH_MAX": value}."""
    tree = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    lines = []
    for name, kind in STRUCTS.items():
        lines.append(f'  printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'  printf("{name}.{field} %zu\\n", offsetof({name}, {field}));' for field, _ in kind._fields_]
    lines += [f'  printf("{name} %" PRIu64 "\\n", (uint64_t){name});' for name in CONSTANTS]
    folder = tmp_path_factory.mktemp("abi")
    source = folder / "layout.c"
    source.write_text("#include <evdb.h>\n#include <inttypes.h>\n#include <stdio.h>\nint main(void)\n{\n"
                      + "\n".join(lines) + "\n  return 0;\n}\n")
    program = folder / "layout"
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-I", os.path.join(tree, "include"), str(source), "-o", str(program)], check=True)
    said = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in said.splitlines())}


@pytest.mark.parametrize("name", STRUCTS)
def test_a_struct_has_the_layout_the_compiler_gives_it(name, compiled):
    kind = STRUCTS[name]
    mine = {f"{name}.{field}": getattr(kind, field).offset for field, _ in kind._fields_}
    assert mine == {key: compiled[key] for key in mine}
    assert ctypes.sizeof(kind) == compiled[name]


def test_constants_have_the_values_of_the_headers(compiled):
    assert CONSTANTS == {name: compiled[name] for name in CONSTANTS}


def test_no_struct_of_the_headers_lacks_a_field(tree):
    for header in (tree / "include" / "evdb").glob("*.h"):
        if header.name in ("auth.h", "user.h"):  # clients, users and tokens are the server's business
            continue
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (evdb_\w+);", text, flags=re.S):
            if name not in STRUCTS:
                # Python keeps the library's own; it looks at files by name, and only reads the audit log
                assert name in ("evdb_allocator", "evdb_bytes", "evdb_audit_act")
                continue
            fields = []
            for line in filter(None, (part.strip() for part in body.split(";"))):
                pointer = re.match(r".*\(\*(\w+)\)", line, flags=re.S)
                fields += [pointer.group(1)] if pointer else [
                    re.search(r"(\w+)(\[.*\])?$", part.strip()).group(1) for part in line.split(",")]
            assert fields == [field for field, _ in STRUCTS[name]._fields_], name


def test_every_status_has_its_exception(tree):
    table = re.findall(r"^EVDB_STATUS\((\w+), +(\d+)", (tree / "include/evdb/status.def").read_text(), flags=re.M)
    names = {name for name, value in table if name != "OK"}
    assert names == set(errors.BY_STATUS)
    for name, value in table:
        assert lib.evdb_status_name(int(value)).decode() == name
        if name != "OK":
            kind = getattr(evdb, name.title().replace("_", ""))
            assert issubclass(kind, evdb.Error) and kind.status == name and kind.__name__ in evdb.__all__


def test_a_status_of_a_newer_library_is_a_plain_error():
    error = errors.from_status("MOON", "the moon is full", 3)
    assert type(error) is evdb.Error and (error.status, error.item, str(error)) == ("MOON", 3, "the moon is full")


def test_versions_agree(tree):
    header = (tree / "include/evdb/version.h").read_text()
    assert evdb.__version__ == evdb.library_version() == re.search(r'EVDB_VERSION "(.*)"', header).group(1)


def test_a_library_that_cannot_be_loaded_is_named(run, tmp_path):
    source = ("import os, sys\nos.environ['EVDB_LIBRARY'] = sys.argv[1]\n"
              "try:\n import evdb\nexcept ImportError as why:\n print(why)")
    assert str(tmp_path / "libnothing.so") in run(source, tmp_path / "libnothing.so")
