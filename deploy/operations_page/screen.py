"""Screens: each answers one question about an installation, in one sentence and then in detail."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from deploy.operations.installation import OpenInstallation
from schemas.access import Access, Caller
from streams.bounded_processes import BoundedProcesses

Tone = Literal["good", "warning", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The request for a screen."""

    installation: OpenInstallation
    processes: BoundedProcesses
    """For computations on data of any size."""
    caller: Caller
    path: Mapping[str, str]
    """Parts of the path, by name."""
    query: Mapping[str, str]
    """The filter, as the address has it."""

    def may(self, access: Access) -> bool:
        """Returns whether the caller has an access."""
        return access.why_not(self.caller) is None


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen's content."""

    answer: str
    """The sentence that answers the question."""
    tone: Tone = "plain"
    values: Mapping[str, Any] = field(default_factory=dict)
    """The values that its template shows."""
    title: str | None = None
    """The title, if it is not the screen's own."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen."""

    path: str
    name: str
    """Of its template, too."""
    title: str
    question: str
    show: Callable[[Asked], Awaitable[Shown]]
    """Raises `NotFound`, `Invalid` and `Unavailable`."""
    access: Access
    in_menu: bool = True
    is_live: bool = True
    """Whether it is sent again when it changes."""
