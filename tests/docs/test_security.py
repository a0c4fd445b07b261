"""The declarations in docs/security.md, as far as they are whole: what they declare is what the engine takes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from command_api.clock import now
from command_api.handling.encryption import Encryption
from command_api.handling.request import CommandRequest
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.expected_version import ANY_VERSION
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Sensitive, encrypted_fields, sensitive_fields, subject_of
from schemas.system import Context, ContextName, System
from schemas.view import View
from streams.encryption.encryption import decrypt, encrypt

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


KEY = b"k" * 32


class Keys:
    """One key for everybody, and no database."""

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        return {purpose: encrypt(text, KEY, subject, purpose) for purpose, text in texts.items()}


async def test_what_is_declared_sensitive_is_encrypted() -> None:
    block = next(block for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S) if "Encrypted" in block)
    room: dict[str, Any] = {
        "__name__": "readings",
        "Annotated": Annotated,
        "UUID": UUID,
        "Command": Command,
        "Event": Event,
        "View": View,
        "Sensitive": Sensitive,
        "Encrypted": Encrypted,
    }

    exec(compile(block, str(DOCUMENT), "exec"), room)

    context = Context("readings", commands=(room["RecordReading"],), events=(room["ReadingRecorded"],))
    Catalog.of([System("hospital", (context,), views=(room["Reading"],))])
    assert list(sensitive_fields(room["RecordReading"])) == list(encrypted_fields(room["Reading"])) == ["value"]
    command = room["RecordReading"](patient_id=uuid4(), value="39.5")
    envelope = CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c")
    request = CommandRequest(ContextName("hospital", "readings"), envelope, ANY_VERSION)
    encrypted: Any = (await Encryption(Keys(), None).apply(request)).command.data  # type: ignore[arg-type]
    assert subject_of(encrypted.value) == str(command.patient_id)
    event = room["ReadingRecorded"](**encrypted.model_dump())
    assert "39.5" not in event.model_dump_json()
    assert decrypt(event.value, KEY) == "39.5"
