"""The Postman collections of the documents, run by newman through the gateways."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.stack import RunningStack

COLLECTIONS = sorted((Path(__file__).parents[2] / "docs" / "postman").glob("*.json"))


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda path: path.stem)
async def test_every_call_of_a_collection_is_answered(stack: RunningStack, collection: Path) -> None:
    newman = shutil.which("newman")
    if newman is None:
        pytest.skip("NO NEWMAN: the Postman collections were not run")
    gateways = stack.endpoints["gateways"]
    origin = f"origin={next(url for name, url in gateways.items() if name.partition('.')[0] == collection.stem)}"
    process = await asyncio.create_subprocess_exec(
        *(newman, "run", str(collection), "--env-var", origin, "--color", "off", "--disable-unicode"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


def test_every_system_has_a_collection(stack: RunningStack) -> None:
    assert {path.stem for path in COLLECTIONS} == set(stack.endpoints["systems"])
