"""The declaration of a page that shows a system's events as they happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.access import Access


@dataclass(frozen=True, slots=True)
class LivePage:
    """A page with a socket that brings the records of integration topics, each as one text frame.

    A system declares its pages as ``PAGES`` in ``deploy.<system>``.
    """

    name: str
    """The system's name; or that with a suffix, as in ``shop.kitchen``, for one of several pages."""
    port: int
    """Its port in the local stack, unless free ports are asked for."""
    files: Path
    """The folder of its files, with an ``index.html``. They load nothing from other hosts."""
    topics: Sequence[str]
    """The outgoing topics whose records it shows; each of them has an envelope."""
    access: Access
    """Who may open the socket."""
    posts: Sequence[str] = ()
    """The paths of the gateway to which the page may post; this process passes these requests on, so all is one origin."""

    @property
    def system(self) -> str:
        """The name of its system, which is also that of its gateway."""
        return self.name.partition(".")[0]
