"""The process manager and its story in docs/processes.md, run as they stand."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "processes.md"


def test_the_story_is_told_as_it_stands() -> None:
    manager, story = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
    room: dict[str, object] = {"__name__": "trip"}

    exec(compile(manager + story, str(DOCUMENT), "exec"), room)

    assert "TRIP" in room
