"""Listings from several databases: those that answer are shown, the others are named."""

from collections.abc import Sequence

import pytest

from deploy.operations.reading import Listing, listed
from schemas.errors import NotFound, Unavailable


async def found(*rows: int) -> Sequence[int]:
    return rows


async def failing(error: Exception) -> Sequence[int]:
    raise error


async def test_rows_of_databases_that_answer_are_shown_and_the_others_are_named() -> None:
    down = Unavailable("the database is out of reach", "127.0.0.1:5432: no answer")

    listing = await listed([found(1, 2), failing(down), failing(down), found(3)])

    assert (list(listing.rows), list(listing.out_of_reach)) == ([1, 2, 3], [down.detail])


async def test_no_answer_at_all_is_an_error_and_so_is_any_other() -> None:
    with pytest.raises(Unavailable):
        await listed([failing(Unavailable("out of reach"))])
    with pytest.raises(NotFound):
        await listed([found(1), failing(NotFound("no such thing"))])


async def test_nothing_to_ask_is_an_empty_listing() -> None:
    listing: Listing[int] = await listed([])

    assert (listing.rows, listing.out_of_reach) == ([], [])
