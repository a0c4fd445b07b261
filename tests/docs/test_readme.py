"""The documents: what they show is what runs."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from deploy.cli import app
from streams.settings import Settings
from tests.conftest import eventually
from tests.stack import RunningStack, caudal

ROOT = Path(__file__).parents[2]
README, SYSTEMS = (ROOT / "README.md").read_text(), ROOT / "docs" / "systems"
PRODUCTION, COMMAND_LINE = (ROOT / "docs" / name for name in ("production.md", "command_line.md"))
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PATHS = [(document, path) for document in DOCUMENTS for path in re.findall(r"`((?:\w+/)+\w+\.\w+)`", document.read_text())]
LINKS = [(document, link) for document in DOCUMENTS for link in re.findall(r"\]\((?!http|#)([^)]+)\)", document.read_text())]


PORTS = {
    "clinical_lab": 8080,
    "data_ingestion": 8002,
    "flight_reservations": 5000,
    "health_subscriptions.bff": 5005,
    "medical_datasets": 5006,
    "partner_alliances": 8000,
}


async def pasted(stack: RunningStack, text: str) -> str:
    """Returns the output of lines of the README, with the addresses and the data folder of a stack."""
    origins = {port: stack.endpoints["gateways"][name] for name, port in PORTS.items()}
    origins |= {5001: stack.endpoints["command_api"], 5002: stack.endpoints["query_api"]}
    text = re.sub(r"http://127\.0\.0\.1:(\d+)", lambda found: origins[int(found[1])], text)
    text = text.replace(".venv/bin/python", sys.executable)
    text = re.sub(r"sleep (\d+)", lambda found: f"sleep {3 * int(found[1])}", text)  # the machine may have more to do
    text = re.sub(r"\.venv/bin/caudal ([^)\n]*)", rf"{sys.executable} -m deploy.cli \1 --data-dir {stack.data_dir}", text)
    process = await asyncio.create_subprocess_exec("sh", "-ec", text, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


@pytest.mark.parametrize(
    ("system", "shown"),
    [
        ("clinical_lab", '"patient":"Paciente de Prueba"'),
        ("data_ingestion", '"partner_id":"acme"'),
        ("flight_reservations", '"estado":"Aprobada"'),
        ("health_subscriptions", '"estado":"Activo"'),
        ("medical_datasets", '"estado":"Finalizado"'),
        ("partner_alliances", '"partner_id":"'),
    ],
)
async def test_the_calls_of_each_system_work(stack: RunningStack, system: str, shown: str) -> None:
    assert shown in await pasted(stack, block_with("curl", (SYSTEMS / f"{system}.md").read_text()))


def block_with(mark: str, document: str = README) -> str:
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", document, re.S)
    return next(block for block in blocks if mark in block)


async def test_the_lines_about_a_delivery_work(stack: RunningStack) -> None:
    posting, querying = re.split(r"sleep \d+\n", block_with("/ingest"))

    assert re.search(r'"data_id":"[0-9a-f-]{36}"', await pasted(stack, posting))

    async def processed() -> bool:
        out = await pasted(stack, querying)
        return all(f'"{name}": "{value}",\n' in out for name, value in shown)

    shown = re.findall(r'"(partner_id|\w+_status)": "(\w+)",\n', README)
    assert len(shown) == 4, "the README shows the answer"
    await eventually(processed)


async def test_the_lines_about_a_partner_work(stack: RunningStack) -> None:
    posting, querying = re.split(r"sleep \d+\n", block_with("/partners"))
    officer = posting.splitlines(keepends=True)[0]  # a terminal remembers it

    assert '"saga_id"' in await pasted(stack, posting)

    async def completed() -> bool:
        out = await pasted(stack, officer + querying)
        return all(part in out for part in ('"label":"COMPLETADA"', '"event_type":"ContractApproved"', "onboarding"))

    await eventually(completed, 60)


async def test_the_lines_about_the_laboratory_work_also_a_second_time(stack: RunningStack) -> None:
    first, looking = re.split(r"sleep \d+\n", block_with("/login"))
    expected = ('"event_type":"ResultQueried"', "Bienvenido al laboratorio")
    for _ in range(2):
        out = await pasted(stack, first + 'echo "TOKEN=$TOKEN RESULT=$RESULT"\n')  # which a terminal remembers
        assert '"result":"Resultado Positivo"' in out
        remembered = re.search(r"TOKEN=\S+ RESULT=[0-9a-f-]{36}\n", out)
        assert remembered is not None, out

        async def seen(variables: str = remembered[0]) -> bool:
            out = await pasted(stack, variables.replace(" ", "\n") + looking)
            return all(part in out for part in expected)

        await eventually(seen, 60)
    found = await asyncio.create_subprocess_exec("grep", "-r", "Positivo", str(stack.data_dir))
    assert await found.wait() == 1


async def test_the_lines_about_loading_a_file_work(stack: RunningStack) -> None:
    block = block_with("caudal load", COMMAND_LINE.read_text()).rstrip("\n")

    out = await pasted(stack, f"{block} --dry-run")

    assert "3376 would be sent, 0 would be rejected" in out


async def test_what_a_stack_prints_when_it_is_ready_can_be_pasted(stack: RunningStack) -> None:
    code, out, _ = await stack.caudal("status", "--all")

    assert code == 0, out
    assert re.search(r"^data_ingestion *\n  ingestion +", out, re.M)
    assert len(re.findall(r"(?<!not )\bready\b", out)) == len(stack.endpoints["ports"])


def test_every_setting_is_listed_with_its_description() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `CAUDAL_{name.upper()}` |" in PRODUCTION.read_text(), name
        assert field.description in (None, "") or f"{field.description} |" in PRODUCTION.read_text(), name


def test_every_command_is_listed() -> None:
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"    caudal {name} " in COMMAND_LINE.read_text(), name


@pytest.mark.parametrize(("document", "path"), PATHS, ids=str)
def test_every_file_that_is_named_is_there(document: Path, path: str) -> None:
    assert (ROOT / path).exists(), document


@pytest.mark.parametrize(("document", "link"), LINKS, ids=str)
def test_every_link_leads_somewhere(document: Path, link: str) -> None:
    path, _, section = link.partition("#")
    target = document.parent / path

    assert target.exists()
    if section:
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
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
async def test_an_option_that_would_reach_nobody_is_rejected(arguments: tuple[str, ...]) -> None:
    code, _, err = await caudal("verify", *arguments)

    assert code == 2
    assert "after the subcommand: caudal verify" in " ".join(err.split())
