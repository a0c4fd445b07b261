"""A record of a file to load."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Record:
    """A line of NDJSON, an element of a JSON array, or a row of CSV, which may have several lines."""

    number: int
    """Counted from 1: the element, or the line at which the record begins."""
    content: dict[str, Any] | None
    problem: str | None
    """Why the record is rejected; ``None`` if it is not."""
    unit: Literal["line", "element"] = "line"

    @property
    def place(self) -> str:
        """The record as messages name it."""
        return f"{self.unit} {self.number}"
