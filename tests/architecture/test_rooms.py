"""The rooms: which folders there are, and who may import whom."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from schemas.system import ENGINE

ROOT = Path(__file__).parents[2]
NO_SYSTEMS = {"clients", ENGINE, "notifications", "values"}
"""Packages beside the systems: the clients' surface, the engine's own system, notifications, and the values of messages."""
SYSTEMS = sorted(path.parent.name for path in ROOT.glob("schemas/*/__init__.py") if path.parent.name not in NO_SYSTEMS)
"""The systems of this tree; others may be installed beside them."""
MAX_MODULES = 12
ROOMS = {"schemas", "aggregates", "streams", "command_api", "projectors", "query_api", "deploy", "tests"}


def test_the_rooms_are_these_and_no_others() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()

    found = {path.partition("/")[0] for path in tracked if path.endswith(".py") and path != "docs/verify_proof.py"}

    assert found == ROOMS


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_a_place_in_every_room(system: str) -> None:
    for room in ROOMS - {"streams", "deploy", "tests"}:
        assert (ROOT / room / system / "__init__.py").exists() or (ROOT / room / f"{system}.py").exists(), room


def test_data_makes_a_circle_and_imports_never_do() -> None:
    script = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([str(script), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_lock_files_hold_versions_and_hashes_and_no_addresses() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_no_sql_is_put_together_in_python() -> None:
    """Identifiers of schemas are filled into files by `streams.database.store`; statements live in ``sql/``."""
    for room in ("command_api", "query_api", "projectors", "aggregates", "schemas"):
        for path in (ROOT / room).rglob("*.py"):
            assert 'f"select' not in path.read_text(), path


def test_a_level_has_at_most_12_modules() -> None:
    levels = Counter(
        path.parent for room in ROOMS - {"tests"} for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py"
    )

    assert {str(level): modules for level, modules in levels.items() if modules > MAX_MODULES} == {}


def test_every_room_says_that_it_is_typed() -> None:
    for room in ROOMS - {"tests"}:
        assert (ROOT / room / "py.typed").exists(), room
