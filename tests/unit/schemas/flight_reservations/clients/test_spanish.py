"""The clients' words and their form of times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from schemas.flight_reservations.clients import spanish
from schemas.flight_reservations.parts import Age, Class, FlightType, Kind
from schemas.flight_reservations.reservations import Status


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (spanish.STATUSES, Status),
        (spanish.FLIGHT_TYPES, FlightType),
        ({kind: word for word, kind in spanish.CLASSES.items()}, Class),
        ({age: word for word, age in spanish.AGES.items()}, Age),
        ({kind: word for word, kind in spanish.KINDS.items()}, Kind),
    ],
)
def test_each_of_our_words_has_one_of_theirs(words: Mapping[Any, str], ours: Any) -> None:
    assert set(words) == set(get_args(ours))
    assert len(set(words.values())) == len(words)


def test_a_time_is_read_and_shown_to_the_second() -> None:
    assert spanish.time_of("2022-11-22T13:10:00Z") == datetime(2022, 11, 22, 13, 10, tzinfo=UTC)
    assert spanish.fecha_of(datetime(2022, 11, 22, 13, 10, 5, 999999, tzinfo=UTC)) == "2022-11-22T13:10:05Z"
    assert spanish.fecha_of(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "2022-11-22", "2022-11-22T13:10:00", "2022-11-22T13:10:00+00:00", "2022-02-30T00:00:00Z", "2022-1-2T3:4:5Z", "ayer"],
)
def test_a_time_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="AAAA-MM-DDTHH:MM:SSZ"):
        spanish.time_of(text)
