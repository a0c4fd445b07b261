"""The numbers by which clients know users and results."""

from query_api.queries.context import QueryContext
from query_api.views.paging import Row
from schemas.errors import NotFound
from schemas.view import View

_MAX_DIGITS = 18


async def row_by_number_or_id(
    context: QueryContext, view: type[View], noun: str, text: str, *, one_of_several: bool = False
) -> Row:
    """Returns the row of a view with a number or an id, decrypted; the ``noun`` is that of its rows.

    ``one_of_several`` is as `Views.row` takes it. Raises `NotFound` if there is no row or the caller may not read it.
    """
    if not _is_number(text):
        return await context.views.row(context.request, view, text, one_of_several=one_of_several)
    page = await context.views.page(context.request, view, ("number", text), one_of_several=one_of_several)
    if not page.rows:
        raise NotFound(f"there is no {noun} {text}")
    return page.rows[0]


def numbered(row: Row) -> Row:
    """Returns a row with its number under the name by which clients know it."""
    return {**row, "id": row["number"]}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
