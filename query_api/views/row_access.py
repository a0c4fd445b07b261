"""What of a view's rows somebody is shown: their own, decrypted as far as their subjects are not erased."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.access import Caller
from schemas.errors import Unauthenticated
from schemas.sensitive import encrypted_fields, is_encrypted, subject_of
from schemas.view import View
from streams.encryption.subject_keys import SubjectKeys

Row = Mapping[str, Any]


class Shown:
    """One view's rows as callers are shown them."""

    def __init__(self, view: type[View], keys: SubjectKeys) -> None:
        self._view, self._keys = view, keys
        self._encrypted = tuple(encrypted_fields(view))

    def owner(self, caller: Caller | None) -> tuple[tuple[str, ...], str] | None:
        """The columns of which one must name a caller, and their name; ``None`` where they see every row."""
        rule = self._view.view_rows
        if rule is None or (caller is not None and rule.all_rows & caller.roles):
            return None
        if caller is None:
            raise Unauthenticated(had_token=False)
        return rule.owners, caller.subject

    def is_for(self, caller: Caller | None, row: Row) -> bool:
        """Whether a caller sees a row."""
        owner = self.owner(caller)
        return owner is None or any(_names(row[column], owner[1]) for column in owner[0])

    async def decrypted(self, rows: Sequence[Row]) -> list[Row]:
        """Rows with what is encrypted in them decrypted; ``None`` in the place of what nobody can open any more."""
        if not self._encrypted:
            return list(map(dict, rows))
        plain = await self._keys.decrypted(text for row in rows for text in self._texts(row).values())
        return [{**row, **{name: plain.get(text) for name, text in self._texts(row).items()}} for row in rows]

    def _texts(self, row: Row) -> dict[str, str]:
        """A row's encrypted texts by their fields; one that is not of the row's subject is as good as none."""
        subject = str(row[self._view.view_subject or ""])
        given = {name: row[name] for name in self._encrypted if row[name] is not None}
        return {name: text if is_encrypted(text) and subject_of(text) == subject else "" for name, text in given.items()}


def _names(value: Any, subject: str) -> bool:
    """Whether a column's value names a subject, or an array holds their name."""
    return subject in value if isinstance(value, list | tuple) else value is not None and str(value) == subject
