"""The documents: what they show is what runs."""

import re
import shlex
from pathlib import Path

import pytest

from deploy.cli import app
from streams.settings import Settings
from tests.stack import RunningStack, caudal

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


async def test_the_curl_lines_work_as_they_stand(stack: RunningStack) -> None:
    import asyncio

    block = next(block for block in re.findall(r"```sh\n(.*?)```", README, re.S) if "curl" in block)
    posted, _, queried, _ = block.replace("\\\n", "").strip().splitlines()

    async def run(line: str) -> str:
        line = line.replace("http://127.0.0.1:5001", stack.endpoints["command_api"])
        line = line.replace("http://127.0.0.1:5002", stack.endpoints["query_api"])
        process = await asyncio.create_subprocess_exec(*shlex.split(line), stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        return out.decode()

    assert re.fullmatch(r'{"data_id":"[0-9a-f-]{36}"}', await run(posted))
    await asyncio.sleep(2)
    assert '"processing_status":"processed"' in await run(queried)


async def test_what_a_stack_prints_when_it_is_ready_can_be_pasted(stack: RunningStack) -> None:
    code, out, _ = await stack.caudal("status")

    assert code == 0
    assert "data_ingestion.ingestion" in out
    assert out.count("ready") == 7


def test_every_setting_is_listed_with_its_description() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `CAUDAL_{name.upper()}` |" in README, name
        assert field.description in (None, "") or f"{field.description} |" in README, name


def test_every_command_is_listed() -> None:
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"    caudal {name} " in README, name


@pytest.mark.parametrize("path", sorted(re.findall(r"`((?:\w+/)+\w+\.\w+)`", README)))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http|#)([^)]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    path, _, section = link.partition("#")

    assert (ROOT / path).exists()
    if section:
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
        assert section in {heading.lower().replace(" ", "-") for heading in headings}


async def test_a_setting_that_makes_no_sense_is_named() -> None:
    code, _, err = await caudal("migrate", environment={"CAUDAL_POOL_SIZE": "many"})

    assert code == 2
    assert "CAUDAL_POOL_SIZE" in err


async def test_a_database_out_of_reach_is_said_plainly() -> None:
    code, _, err = await caudal("migrate", environment={"CAUDAL_WRITE_DSN": "postgresql://127.0.0.1:1/x"})

    assert code == 1
    assert "out of reach" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [("--repair", "views"), ("--json", "log"), ("--require-signed", "log")])
async def test_an_option_that_would_reach_nobody_is_refused(arguments: tuple[str, ...]) -> None:
    code, _, err = await caudal("verify", *arguments)

    assert code == 2
    assert "goes behind what is verified" in " ".join(err.split())
