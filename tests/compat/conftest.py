"""Where the tree's own binding and library are, also where another evdb is installed."""
import os
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "bindings" / "python"))
os.environ.setdefault("EVDB_LIBRARY", str(TREE / "build" / "libevdb.so"))
