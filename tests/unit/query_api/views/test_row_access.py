"""Row access: the rows of a view that a caller may read, and the decryption of their fields."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from query_api.views.page_request import Owner
from query_api.views.row_access import RowAccessControl
from schemas.access import Caller, RowAccess
from schemas.errors import Unauthenticated
from schemas.sensitive import MARK, Encrypted
from schemas.view import View


class Letter(
    View,
    name="letters",
    context="post",
    key="letter_id",
    rows=RowAccess(owners=("sender", "readers"), all_rows=frozenset({"auditor"})),
    subject="sender",
):
    """A letter."""

    letter_id: str
    sender: str | None = None
    readers: list[str] = []
    text: Encrypted = None


class Notice(View, name="notices", context="post", key="notice_id"):
    """A notice that every caller may read."""

    notice_id: str


class Keys:
    """Subjects' keys that decrypt some texts."""

    def __init__(self, plain: Mapping[str, str]) -> None:
        self.plain = plain

    async def decrypted(self, texts: Iterable[str]) -> Mapping[str, str]:
        return {text: self.plain[text] for text in texts if text in self.plain}


class Poster(View, name="posters", context="post", key="poster_id", rows=RowAccess(owners=("sender",), open_rows=True)):
    """A poster that every caller may read where the view is open."""

    poster_id: str
    sender: str | None = None


def control(view: type[View] = Letter, *, is_open: bool = False, **plain: str) -> RowAccessControl:
    keys: Any = Keys({f"{MARK}{name}:xx": text for name, text in plain.items()})
    return RowAccessControl(view, keys, is_open=is_open)


def letter(**fields: Any) -> dict[str, Any]:
    return {"letter_id": "1", "sender": None, "readers": [], "text": None, **fields}


def test_callers_read_the_rows_that_name_them_and_some_roles_read_all() -> None:
    ana, auditor = Caller("ana"), Caller("eva", frozenset({"auditor"}))

    assert control().owner_for(ana) == Owner(("sender", "readers"), "ana")
    assert control().may_read(ana, letter(sender="ana"))
    assert control().may_read(ana, letter(sender="eva", readers=["bob", "ana"]))
    assert not control().may_read(ana, letter(sender="anabel", readers=["bob"]))
    assert not control().may_read(ana, letter())
    assert control().owner_for(auditor) is None
    assert control().may_read(auditor, letter(sender="ana"))


@pytest.mark.parametrize("is_open", [False, True])
def test_rows_with_owners_need_a_caller(is_open: bool) -> None:
    with pytest.raises(Unauthenticated):
        control(is_open=is_open).owner_for(None)
    with pytest.raises(Unauthenticated):
        control(is_open=is_open).may_read(None, letter())


def test_an_open_view_shows_all_rows_to_every_caller_if_they_are_declared_open() -> None:
    poster = {"poster_id": "1", "sender": "eva"}

    assert control(Poster, is_open=True).owner_for(None) is None
    assert control(Poster, is_open=True).may_read(Caller("ana"), poster)
    assert not control(Poster).may_read(Caller("ana"), poster)
    with pytest.raises(Unauthenticated):
        control(Poster).owner_for(None)


def test_rows_without_owners_are_for_everybody() -> None:
    assert control(Notice).owner_for(None) is None
    assert control(Notice).may_read(None, {"notice_id": "1"})


async def test_texts_are_decrypted_unless_their_subject_was_erased() -> None:
    rows = [letter(sender="ana", text=f"{MARK}ana:xx"), letter(sender="eva", text=f"{MARK}eva:xx"), letter(sender="ana")]

    shown = await control(ana="hello").decrypted(rows)

    assert [row["text"] for row in shown] == ["hello", None, None]
    assert await control(Notice).decrypted([{"notice_id": "1"}]) == [{"notice_id": "1"}]


async def test_a_text_of_another_subject_than_the_rows_is_not_shown() -> None:
    rows = [letter(sender="eva", text=f"{MARK}ana:xx"), letter(sender="eva", text="plain")]

    assert [row["text"] for row in await control(ana="secret").decrypted(rows)] == [None, None]
