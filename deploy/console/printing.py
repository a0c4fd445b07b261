"""How commands print for people: tables whose names stay whole, and numbers with their nouns."""

from rich.console import Console
from rich.table import Column, Table

_WIDTH_OF_A_FILE = 400


def console() -> Console:
    """Standard output: as wide as the terminal, wide enough for any table where it is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_FILE)


def table(name: str, *others: str) -> Table:
    """A table with these columns; the first, by which other commands call a thing, is never cut."""
    return Table(Column(name, no_wrap=True, overflow="ignore"), *(Column(other, overflow="fold") for other in others))


def counted(number: int, noun: str) -> str:
    """``1 event``, ``2,000 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
