"""The AsyncAPI document: every topic and every message of the installed systems, and no reference into nothing."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.system import ContextName
from streams.asyncapi.document import describe_topics
from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.integrity.signing import Signer, make_keys
from streams.settings import Settings

_CHECK = """
const { Parser } = require("@asyncapi/parser");
new Parser().parse(require("fs").readFileSync(process.argv[1], "utf8")).then(({ document, diagnostics }) => {
  for (const one of diagnostics) console.log(`${one.code} ${one.path.join("/")}: ${one.message}`);
  process.exit(document && !diagnostics.length ? 0 : 1);
});
"""


@cache
def document() -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(orjson.dumps(describe_topics(Settings(), installed_catalog())))
    return made


def message(channel: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["messages"][f"{channel}.{name}"]
    return found


def test_every_topic_is_a_channel_with_one_operation() -> None:
    catalog = installed_catalog()
    topics = Topics(Settings(), catalog)
    addresses = {one["address"] for one in document()["channels"].values()}

    for name, context in catalog.contexts.items():
        assert {topics.events(name), topics.dead_letters(name), topics.signed_heads(name)} <= addresses
        assert all(command.internal for command in context.commands) or topics.commands(name) in addresses
        integration = [one.topic for one in catalog.outgoing(name)] + [one.topic for one in catalog.incoming(name)]
        assert set(map(topics.integration, integration)) <= addresses
    assert set(document()["operations"]) == set(document()["channels"])


def test_events_are_sent_and_commands_received_with_their_shapes() -> None:
    operations = document()["operations"]
    event, command = (
        message("data_ingestion.ingestion.events", "DataReceived"),
        message("data_ingestion.ingestion.commands", "receive-data"),
    )

    assert operations["data_ingestion.ingestion.events"]["action"] == "send"
    assert operations["data_ingestion.ingestion.commands"]["action"] == "receive"
    assert event["payload"]["$ref"].endswith("/DataReceived")
    assert command["payload"]["$ref"].endswith("/ReceiveData")
    assert (event["name"], event["x-schema-version"]) == ("data_ingestion.DataReceived", 1)
    assert "ce_previous" in document()["components"]["messageTraits"]["event"]["headers"]["properties"]


def test_fields_that_are_encrypted_are_named() -> None:
    encrypted = {name for name, one in document()["components"]["messages"].items() if one.get("x-encrypted-fields")}

    assert any(name.startswith("clinical_lab.") for name in encrypted)


def test_a_command_that_only_the_engine_sends_is_left_out() -> None:
    commands = list(installed_catalog().commands())
    described = {one["name"] for name, one in document()["components"]["messages"].items() if ".commands." in name}

    assert described == {f"{home.system}.{command.message_name}" for home, command in commands if not command.internal}
    assert any(command.internal for _, command in commands)


def test_a_signed_head_has_the_fields_of_its_message(tmp_path: Path) -> None:
    make_keys(tmp_path / "private.pem", tmp_path / "public.pem")
    head = Signer(tmp_path / "private.pem").sign(ContextName("a", "b"), 1, b"x", 1)

    schema = message("engine.sagas.signed-heads", "signed-head")["payload"]
    assert set(schema["properties"]) == set(schema["required"]) == set(head.as_json())


def test_a_topic_that_is_read_and_written_has_an_operation_for_each() -> None:
    catalog = installed_catalog()
    sent = {one.topic for name in catalog.contexts for one in catalog.outgoing(name)}
    received = {one.topic for name in catalog.contexts for one in catalog.incoming(name)}

    for topic in sent & received:
        assert document()["operations"][f"sent.{topic}"]["action"] == "send"
        assert document()["operations"][f"received.{topic}"]["action"] == "receive"


def test_every_reference_leads_somewhere() -> None:
    for reference in references(document()):
        value: Any = document()
        for part in reference.removeprefix("#/").split("/"):
            assert part in value, reference
            value = value[part]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_the_parser_of_asyncapi_finds_nothing(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", 'require("@asyncapi/parser")'], capture_output=True, check=False).returncode:
        pytest.skip("NO @asyncapi/parser in NODE_PATH: the AsyncAPI document was not validated by it")
    path = tmp_path / "asyncapi.json"
    path.write_bytes(orjson.dumps(document()))

    result = subprocess.run([node, "-e", _CHECK, str(path)], capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
