"""`caudal new`: the package that it writes runs, and is clean by the tools of this tree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.authoring.new import files, new
from schemas.errors import AlreadyExists, Misconfigured


def run(*arguments: str, cwd: Path) -> str:
    """Returns what a tool prints in a folder that is on the path; fails if the tool does."""
    environment = {**os.environ, "PYTHONPATH": str(cwd), "CAUDAL_SYSTEMS": "loans", "COLUMNS": "80"}
    result = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def types_of_the_rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mypy's cache: the types of the rooms, which both packages import, are read once."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize(("with_saga", "tests"), [(False, "4 passed"), (True, "7 passed")])
def test_its_package_runs_its_tests_and_passes_the_tools(
    tmp_path: Path, types_of_the_rooms: Path, with_saga: bool, tests: str
) -> None:
    # As in a checkout, in whose folder a beginner writes it.
    around = '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n'
    (tmp_path / "pyproject.toml").write_text(around)
    new("loans", tmp_path, with_saga=with_saga)
    package = tmp_path / "loans"
    installed = package / "loans-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: loans\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text("[caudal.systems]\nloans = loans.schemas:SYSTEM\n")

    assert tests in run("pytest", "-q", "-p", "no:cacheprovider", cwd=package)
    run("deploy.cli", "schemas", "record", cwd=package)
    assert "fits together" in run("deploy.cli", "check", cwd=package)
    (package / "commands").write_text('add-task title="Buy milk"\n$wait 7d\n')
    tried = run("deploy.cli", "try", "loans", "commands", cwd=package)
    assert ("TaskFinished" in tried) == with_saga, "the saga's timer fires"
    run("ruff", "check", "--no-cache", ".", cwd=package)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=package)
    run("mypy", "--strict", "--cache-dir", str(types_of_the_rooms), "loans", "tests", cwd=package)


@pytest.mark.parametrize("with_saga", [False, True])
def test_its_readme_lists_every_module(with_saga: bool) -> None:
    package = files("loans", with_saga=with_saga)
    modules = {path for path in package if path.startswith("loans/") and path.endswith(".py") and package[path]}

    assert {path for path in modules if f"`{path}`" in package["README.md"]} == modules
    assert package["README.md"].count("`loans/") == len(modules)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "loans").mkdir()

    with pytest.raises(AlreadyExists, match="choose another name"):
        new("loans", tmp_path, with_saga=False)
    assert list((tmp_path / "loans").iterdir()) == []


def test_a_name_that_no_system_can_have_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="small letters, digits"):
        new("Loans", tmp_path, with_saga=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("class", "a keyword of Python"),
        ("json", "a module that is installed already"),
        ("schemas", "a module that is installed already"),
        ("tests", "a module that is installed already"),
        ("caudal", "a package that is installed already"),
        ("engine", "the system 'engine' is installed already"),
        ("data_ingestion", "the system 'data_ingestion' is installed already"),
    ],
)
def test_a_name_that_hides_another_is_rejected(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason):
        new(name, tmp_path, with_saga=False)
    assert list(tmp_path.iterdir()) == []


def test_a_saga_is_written_on_request() -> None:
    assert files("loans", with_saga=True).keys() - files("loans", with_saga=False).keys() == {
        "loans/sagas.py", "tests/test_sagas.py",
    }  # fmt: skip
