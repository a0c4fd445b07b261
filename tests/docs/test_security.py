"""The declarations in docs/security.md, as far as they are whole: what they declare is what the engine takes."""

import re
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from schemas.catalog import Catalog, Context, System
from schemas.message import Command, Event
from schemas.sensitive import Sealed, Sensitive, sealed_fields, sensitive_fields
from schemas.view import View

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


def test_what_is_declared_sensitive_is_sealed() -> None:
    block = next(block for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S) if "Sealed" in block)
    room: dict[str, Any] = {
        "__name__": "readings",
        "Annotated": Annotated,
        "UUID": UUID,
        "Command": Command,
        "Event": Event,
        "View": View,
        "Sensitive": Sensitive,
        "Sealed": Sealed,
    }

    exec(compile(block, str(DOCUMENT), "exec"), room)

    context = Context("readings", commands=(room["RecordReading"],), events=(room["ReadingRecorded"],))
    Catalog.of([System("hospital", (context,), views=(room["Reading"],))])
    assert list(sensitive_fields(room["RecordReading"])) == list(sealed_fields(room["Reading"])) == ["value"]
    assert room["RecordReading"](patient_id=uuid4(), value="x").value == "x"
