"""Dialects: how errors are reported on a system's own paths, in the words that its clients know.

A client that accepts problem documents (``Accept: application/problem+json``) gets those in their place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import BaseModel

from schemas.errors import CaudalError, Invalid, Malformed

Text = str | Callable[[CaudalError], str]
LACKING = "lacking"
"""A key of `Dialect.texts`: an error that says that the body, or a member of it, is missing."""
FIELD_REQUIRED = "Field required"
"""The detail of a violation that says that a member is missing, as pydantic words it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The answers to errors on own paths: a table by kind of error, such as ``invalid`` or ``already_exists``.

    What the table does not name has the engine's status, and the error's own detail as its text.
    """

    model: type[BaseModel]
    """The JSON body of every error."""
    body: Callable[[str, CaudalError], BaseModel]
    """Makes the body of a text and the error."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)
    """`LACKING` may be one of its keys."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Details of violations in the clients' language, or what such a detail has before a comma; others stay as they are."""

    def saying(self, **texts: Text) -> Self:
        """Returns the dialect with other texts for some kinds of errors, for one path."""
        return replace(self, texts={**self.texts, **texts})

    def status_of(self, kind: str, usual: int) -> int:
        """Returns the HTTP status of a kind of error, of which ``usual`` is the engine's."""
        return self.statuses.get(kind, usual)

    def answer(self, error: CaudalError, detail: str) -> BaseModel:
        """Returns the body for an error; ``detail`` is what may be said about it."""
        text = self._text_of(error)
        if text is None:
            text = self._reasons(error) if isinstance(error, Invalid) else detail
        return self.body(text if isinstance(text, str) else text(error), error)

    def _text_of(self, error: CaudalError) -> Text | None:
        if LACKING in self.texts and _is_lacking(error):
            return self.texts[LACKING]
        return self.texts.get(error.kind)

    def _worded(self, detail: str) -> str:
        """Returns the detail of a violation in the clients' words: those of the whole detail, or of what is before a comma."""
        found = self.words.get(detail) or self.words.get(detail.partition(",")[0])
        return detail.removeprefix("Value error, ") if found is None else found

    def _reasons(self, error: Invalid) -> str:
        """Returns the violations as one line, in the clients' words."""
        found = (f"{one.pointer} {self._worded(one.detail)}".strip() for one in error.violations)
        return "; ".join(found) or error.detail


def _is_lacking(error: CaudalError) -> bool:
    """Returns whether the body is no document at all, or lacks a member."""
    if not isinstance(error, Invalid):
        return False
    return any(one.detail == FIELD_REQUIRED or (isinstance(error, Malformed) and not one.pointer) for one in error.violations)
