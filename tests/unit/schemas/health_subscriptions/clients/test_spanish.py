"""The clients' forms of times, numbers and amounts."""

import pytest

from schemas.health_subscriptions.clients.spanish import ending_of, year_of


def test_a_time_has_its_year() -> None:
    assert year_of("1999-12-31 23:59:59") == 1999
    for wrong in ("1999-12-31", "1999-02-30 00:00:00", "", "1999-12-31 23:59:60"):
        with pytest.raises(ValueError, match="AAAA"):
            year_of(wrong)


@pytest.mark.parametrize(("number", "ending"), [("4111-1111-1111-1234", "1234"), ("12345", "2345"), ("1234", ""), ("", "")])
def test_a_short_number_has_no_ending_because_it_would_be_whole(number: str, ending: str) -> None:
    assert ending_of(number) == ending
