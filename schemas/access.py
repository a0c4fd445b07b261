"""Access: who may send a command, read a view or read a log. Each command, view and log declares its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from schemas.values.tuples import check_not_text, check_tuple

Kind = Literal["command", "view", "audit"]
"""A permission is for sending a command, for reading a view, or for auditing a context's log."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a verified token."""

    subject: str
    """The token's ``sub``: the same for each token of one owner."""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = field(default=None, compare=False)
    """When the token expires, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Access:
    """The requirements for a caller: one of the roles, if any are named, and every scope.

    ``Access()`` asks for a verified caller and nothing else, and so does a declaration without an access, except in the profile
    for trying (``CAUDAL_PROFILE=seed``): there it is open to every caller.
    """

    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    open_in_seed: bool = False
    """Whether it asks for nothing in the profile for trying, like a declaration without an access."""

    def __post_init__(self) -> None:
        for what, texts in (("roles", self.roles), ("scopes", self.scopes)):
            check_not_text("an Access", what, texts)

    @classmethod
    def to(cls, *roles: str, scopes: Iterable[str] = (), open_in_seed: bool = False) -> "Access":
        """Returns the access of a caller who has one of these roles and all of these scopes."""
        check_not_text("an Access", "scopes", scopes)
        return cls(frozenset(roles), frozenset(scopes), open_in_seed)

    def why_not(self, caller: Caller) -> str | None:
        """Returns the token that a caller needs instead, or ``None``."""
        if self.roles and not self.roles & caller.roles:
            return f"a token with one of the roles {', '.join(sorted(self.roles))}"
        if missing := self.scopes - caller.scopes:
            return f"a token with the scopes {', '.join(sorted(missing))}"
        return None


@dataclass(frozen=True, slots=True)
class RowAccess:
    """Which callers may see which rows of a view."""

    owners: tuple[str, ...]
    """Columns that hold subjects: a caller may see a row if one of its columns holds the caller's subject."""
    all_rows: frozenset[str] = frozenset()
    """Roles that see every row."""
    open_rows: bool = False
    """Whether a view that is open to every caller shows every row. Otherwise its rows need a caller all the same."""

    def __post_init__(self) -> None:
        check_tuple("a RowAccess", "owners", self.owners)
        check_not_text("a RowAccess", "all_rows", self.all_rows)
