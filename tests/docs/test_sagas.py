"""The saga definition and its scenario in docs/sagas.md, run as written."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "sagas.md"


def test_the_scenario_of_the_document_passes() -> None:
    manager, story = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
    room: dict[str, object] = {"__name__": "trip"}

    exec(compile(manager + story, str(DOCUMENT), "exec"), room)

    assert "TRIP" in room
