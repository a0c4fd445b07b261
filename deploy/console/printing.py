"""Output for people: tables that hold at 80 columns, numbers with their nouns, relative times and short ids."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.errors import NotFound

T = TypeVar("T")
SHORT_ID = 8
_INDENT = "  "
_WIDTH_OF_A_FILE = 400
_UNITS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def console() -> Console:
    """Returns standard output: as wide as the terminal, and wide enough for any table if it is a file or a pipe."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_FILE)


def lines() -> Console:
    """Returns standard output for sentences, which the terminal wraps."""
    return Console(highlight=False, soft_wrap=True)


def table(name: str, *others: str, numbers: Collection[str] = ()) -> Table:
    """Returns a table without borders. The first column is never cut; columns in ``numbers`` are aligned to the right."""
    return _table([name, *others], numbers)


def grouped(columns: Sequence[str], groups: Mapping[str, Sequence[Sequence[str]]], numbers: Collection[str] = ()) -> Group:
    """Rows under a heading a group, in columns that all groups share; the last column takes the width that is left.

    Cells may hold rich's markup.
    """
    rows = [row for own in groups.values() for row in own]
    widths = [max([len(name), *(Text.from_markup(row[n]).cell_len for row in rows)]) for n, name in enumerate(columns)]
    widths[0] += len(_INDENT)
    parts: list[RenderableType] = [_table(columns, numbers, widths[:-1])]
    for heading, own in groups.items():
        shown = _table(columns, numbers, widths[:-1], show_header=False)
        for first, *others in own:
            shown.add_row(_INDENT + first, *others)
        parts += [Text(heading, style="bold"), shown]
    return Group(*parts)


def _table(columns: Sequence[str], numbers: Collection[str], widths: Sequence[int] = (), *, show_header: bool = True) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=show_header)
    for n, name in enumerate(columns):
        made.add_column(
            name,
            width=widths[n] if n < len(widths) else None,
            no_wrap=n == 0 or name in numbers,
            overflow="ignore" if n == 0 else "fold",  # a column that ignores overflow is not aligned
            justify="right" if name in numbers else "left",
        )
    return made


def grouped_by_system(named: Iterable[tuple[str, T]]) -> dict[str, list[tuple[str, T]]]:
    """Splits ``system.name`` into groups of names, in the order in which they come."""
    groups: dict[str, list[tuple[str, T]]] = {}
    for full_name, value in named:
        system, _, name = full_name.partition(".")
        groups.setdefault(system, []).append((name, value))
    return groups


def counted(number: int, noun: str) -> str:
    """Returns a text like ``1 event``, ``2,000 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Returns a text of strangers without characters that would command the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def duration(span: timedelta) -> str:
    """Returns a text like ``3 s``, ``5 min``, ``2 h`` or ``4 d``."""
    seconds = abs(span.total_seconds())
    size, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{seconds // size:.0f} {unit}"


def ago(moment: datetime, now: datetime) -> str:
    """Returns a text like ``3 s ago``, or ``in 3 s`` for a time that is still to come."""
    return f"{duration(now - moment)} ago" if moment <= now else f"in {duration(moment - now)}"


def relative(path: str) -> str:
    """Returns a path from the current folder if it lies in that, else as it is."""
    near = os.path.relpath(path)
    return path if near.startswith("..") else near


def short_ids(ids: Collection[str]) -> dict[str, str]:
    """Returns the first 8 characters of each id, or more if that is not unique."""
    shown = {}
    for id in ids:
        length = SHORT_ID
        while length < len(id) and sum(other.startswith(id[:length]) for other in ids) > 1:
            length += 1
        shown[id] = id[:length]
    return shown


def full_id(short: str, ids: Collection[str], noun: str, listing: str) -> str:
    """Returns the one id that begins with a text; raises `NotFound` if there is none, or more than one."""
    if short in ids:
        return short
    found = sorted(id for id in ids if id.startswith(short))
    if not found:
        raise NotFound(f"there is no {noun} {short!r}; `{listing}` lists them")
    if len(found) > 1:
        raise NotFound(f"{short!r} is the beginning of more than one {noun}: {', '.join(found[:5])}")
    return found[0]


def confirmed(out: Console, *, apply: bool) -> bool:
    """Returns whether to do what was just printed; says how to if not."""
    if not apply:
        out.print("Nothing was changed. Add --apply to do this.")
    return apply
