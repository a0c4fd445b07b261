"""`make`: an install that was interrupted is resumed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
ROOMS = ("schemas", "aggregates", "streams", "command_api", "projectors", "query_api", "deploy")
WORKS, HAS_NO_PIP = "exit 0", 'case "$*" in *pip*) exit 1;; esac'


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def install(checkout: Path) -> tuple[str, list[str]]:
    """The output of `make`, and the arguments of the call of the Python outside of the environment."""
    calls = checkout / "calls"
    makes_an_environment = (
        f'printf "#!/bin/sh\\nexit 0\\n" > .venv/bin/python; chmod 755 .venv/bin/python; echo "$@" >> {calls}'
    )
    python = script(checkout / "python", f"mkdir -p .venv/bin; {makes_an_environment}")
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["make", ".venv/.installed", f"PYTHON={python}"],
        cwd=checkout, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout, calls.read_text().splitlines() if calls.exists() else []


def test_an_environment_without_pip_is_made_again(checkout: Path) -> None:
    script(checkout / ".venv" / "bin" / "python", HAS_NO_PIP)

    said, calls = install(checkout)

    assert calls == ["-m venv --clear .venv"]
    assert "Installing into .venv" in said
    assert (checkout / ".venv" / ".installed").exists()


def test_a_working_environment_is_kept(checkout: Path) -> None:
    script(checkout / ".venv" / "bin" / "python", WORKS)

    assert install(checkout)[1] == []


def test_the_check_compares_the_shapes_of_every_system_of_this_tree() -> None:
    (systems,) = re.findall(r"^SYSTEMS := (.*)$", MAKEFILE.read_text(), re.M)

    folders = MAKEFILE.parent.glob("schemas/*/__init__.py")
    assert systems.split(",") == sorted(
        {path.parent.name for path in folders} - {"clients", "engine", "notifications", "values"}
    )
