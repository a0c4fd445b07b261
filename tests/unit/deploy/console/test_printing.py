"""Tables that hold at 80 columns, numbers, relative times, short ids."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType

from deploy.console.printing import ago, confirmed, counted, full_id, grouped, grouped_by_system, short_ids
from schemas.errors import NotFound

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def printed(shown: RenderableType, width: int = 80) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(shown)
    return out.getvalue().splitlines()


def test_a_table_has_a_heading_for_each_group_and_never_cuts_a_name() -> None:
    name, text = "a-name-that-is-rather-long", "words " * 30
    shown = grouped(("Name", "Number", "Why"), {"a-system-with-a-name-that-is-longer": [(name, "1,234", text)]}, ("Number",))

    lines = printed(shown)
    assert max(map(len, lines)) <= 80
    assert lines[1].strip() == "a-system-with-a-name-that-is-longer"
    assert lines[2].startswith(f"  {name}   1,234  words"), "numbers are aligned to the right, under Number"
    assert " ".join(" ".join(lines).split()).count("words") == 30


def test_names_are_grouped_by_their_system() -> None:
    assert grouped_by_system([("a.x", 1), ("b.y", 2), ("a.z", 3)]) == {"a": [("x", 1), ("z", 3)], "b": [("y", 2)]}


def test_numbers_have_their_nouns() -> None:
    assert [counted(number, "event") for number in (0, 1, 2000)] == ["0 events", "1 event", "2,000 events"]


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=3.7), "3 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=2.5), "2 h ago"),
        (timedelta(days=4), "4 d ago"),
        (timedelta(seconds=-90), "in 1 min"),
    ],
)
def test_times_are_relative(span: timedelta, said: str) -> None:
    assert ago(NOW - span, NOW) == said


def test_ids_are_as_short_as_they_can_be() -> None:
    assert short_ids(["914f66f9-1", "914f66f9-2", "0123456789"]) == {
        "914f66f9-1": "914f66f9-1",
        "914f66f9-2": "914f66f9-2",
        "0123456789": "01234567",
    }


def test_a_short_id_is_accepted_if_it_means_one_thing() -> None:
    ids = ["914f66f9-1", "914f66f9-2", "0123456789"]

    assert full_id("0123", ids, "saga", "list") == "0123456789"
    with pytest.raises(NotFound, match="more than one saga"):
        full_id("914f66f9", ids, "saga", "list")
    with pytest.raises(NotFound, match="`list` lists them"):
        full_id("ff", ids, "saga", "list")


def test_without_apply_it_says_how_to_apply() -> None:
    out = io.StringIO()

    assert confirmed(Console(file=out), apply=True)
    assert not confirmed(Console(file=out), apply=False)
    assert out.getvalue() == "Nothing was changed. Add --apply to do this.\n"
