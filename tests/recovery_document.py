"""The commands of docs/recovery.md, which tests run as an operator does."""

import re
from pathlib import Path

_DOCUMENT = Path(__file__).parents[1] / "docs" / "recovery.md"
DATA, MOMENT, BACKUP = "/var/lib/postgresql/data", "2026-11-29 12:00:00+00", "/backup"
"""The data folder, the moment and the folder of backups that the document names."""


def blocks(heading: str) -> list[str]:
    """Returns the lines of each block under a heading of the document, in order."""
    section = _DOCUMENT.read_text().partition(f"# {heading}\n")[2].partition("\n##")[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.S)
