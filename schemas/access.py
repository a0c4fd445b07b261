"""Who may send a command, read a view, look into a log: declared where each of them is."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose token was verified."""

    subject: str
    """The token's ``sub``: who it is, always the same."""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = field(default=None, compare=False)
    """Until when that is believed, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller needs: one of the roles, where any are named, and every scope.

    ``Access()`` asks for a verified caller and nothing else. What declares no access at all is open to everybody.
    """

    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @classmethod
    def to(cls, *roles: str, scopes: Iterable[str] = ()) -> "Access":
        """Access for whoever has one of these roles and all of these scopes."""
        return cls(frozenset(roles), frozenset(scopes))

    def why_not(self, caller: Caller) -> str | None:
        """What a caller lacks, or ``None``."""
        if self.roles and not self.roles & caller.roles:
            return f"this is for the roles {', '.join(sorted(self.roles))}"
        if missing := self.scopes - caller.scopes:
            return f"this needs the scopes {', '.join(sorted(missing))}"
        return None


@dataclass(frozen=True, slots=True)
class RowAccess:
    """Whose each row of a view is."""

    owners: tuple[str, ...]
    """Columns: a row is shown to the callers whose subject one of them holds."""
    all_rows: frozenset[str] = frozenset()
    """Roles that see every row."""
