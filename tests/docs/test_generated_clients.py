"""Clients that generators make of the OpenAPI documents: two of them read everything but media types that they do not know."""

import compileall
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.site import write_documents

APIS = ("command_api", "query_api", "operations_api")
UNKNOWN = re.compile(r"Unsupported content.type application/(x-ndjson|dicom|vnd\.apache\.parquet)")
"""Media types for which the generator of Python makes no code."""


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    write_documents(folder)
    return folder


@pytest.mark.parametrize("api", APIS)
def test_a_client_in_python_is_generated(documents: Path, api: str, tmp_path: Path) -> None:
    if (generator := shutil.which("openapi-python-client")) is None:
        pytest.skip("NO openapi-python-client: no client in Python was generated")
    command = (
        generator,
        "generate",
        "--path",
        str(documents / f"{api}.json"),
        "--meta",
        "none",
        "--output-path",
        str(tmp_path / "c"),
    )

    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "1000"})

    assert done.returncode == 0, done.stdout + done.stderr
    warnings = re.split(r"^WARNING ", done.stdout + done.stderr, flags=re.M)[1:]
    assert [one[:500] for one in warnings if not UNKNOWN.search(one)] == []
    assert compileall.compile_dir(tmp_path / "c", quiet=1)
    assert len(list((tmp_path / "c" / "models").glob("*.py"))) > 50


@pytest.mark.parametrize("api", APIS)
def test_types_in_typescript_are_generated(documents: Path, api: str, tmp_path: Path) -> None:
    if (generator := shutil.which("openapi-typescript")) is None:
        pytest.skip("NO openapi-typescript: no types in TypeScript were generated")
    target = tmp_path / "types.ts"

    done = subprocess.run(
        (generator, str(documents / f"{api}.json"), "--output", str(target)), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    if (compiler := shutil.which("tsc")) is not None:
        checked = subprocess.run((compiler, "--noEmit", "--strict", str(target)), capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout) == (0, "")
