"""Access to the rows of a view: which of them a caller may read, and their encrypted fields decrypted."""

from collections.abc import Sequence

from query_api.views.page_request import Owner
from query_api.views.paging import Row
from schemas.access import Caller
from schemas.errors import Unauthenticated
from schemas.sensitive import encrypted_fields, is_encrypted, subject_of
from schemas.view import View
from streams.encryption.subject_keys import SubjectKeys


class RowAccessControl:
    """Applies a view's `RowAccess` to callers, and decrypts the rows that they may read."""

    def __init__(self, view: type[View], keys: SubjectKeys, *, is_open: bool) -> None:
        """``is_open`` says that the view is open to every caller."""
        self._view, self._keys = view, keys
        rule = view.view_rows
        self._rule = None if rule is None or (rule.open_rows and is_open) else rule
        self._encrypted = tuple(encrypted_fields(view))

    def owner_for(self, caller: Caller | None) -> Owner | None:
        """Returns the condition for rows that a caller may read; ``None`` if the caller may read all of them.

        Raises `Unauthenticated` if rows have owners and there is no caller.
        """
        rule = self._rule
        if rule is None or (caller is not None and rule.all_rows & caller.roles):
            return None
        if caller is None:
            raise Unauthenticated(had_token=False)
        return Owner(rule.owners, caller.subject)

    def may_read(self, caller: Caller | None, row: Row) -> bool:
        """Returns whether a caller may read a row; raises `Unauthenticated` like `owner_for`."""
        owner = self.owner_for(caller)
        return owner is None or any(_holds(row[column], owner.subject) for column in owner.columns)

    async def decrypted(self, rows: Sequence[Row]) -> list[Row]:
        """Returns rows with their encrypted fields decrypted; a field is ``None`` if its data subject was erased."""
        if not self._encrypted:
            return list(rows)
        plain = await self._keys.decrypted(text for row in rows for text in self._texts(row).values())
        return [{**row, **{name: plain.get(text) for name, text in self._texts(row).items()}} for row in rows]

    def _texts(self, row: Row) -> dict[str, str]:
        """Returns a row's encrypted texts by field; a text of another subject becomes ``""``, which no key decrypts."""
        subject = str(row[self._view.view_subject or ""])
        given = {name: row[name] for name in self._encrypted if row[name] is not None}
        return {name: text if is_encrypted(text) and subject_of(text) == subject else "" for name, text in given.items()}


def _holds(value: object, subject: str) -> bool:
    if isinstance(value, list | tuple):
        return subject in value
    return value is not None and str(value) == subject
