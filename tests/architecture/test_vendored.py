"""Files of others in the tree: each is the one that is recorded beside it."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = [folder for folder in (ROOT / "deploy").rglob("vendor") if folder.is_dir()]


def test_each_file_has_its_recorded_hash() -> None:
    assert FOLDERS
    for folder in FOLDERS:
        recorded = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M))
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.name != "README.md"
        }
        assert found == recorded
