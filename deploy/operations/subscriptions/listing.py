"""``caudal subscriptions list``: projections and policies by their names, with what they follow and whether they are paused."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import typer
from rich.console import RenderableType
from rich.markup import escape

from deploy.console.printing import console, grouped, grouped_by_system
from deploy.operations.subscriptions.installed import InstalledSubscription, subscriptions
from schemas.system import ContextName
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription with what is shown of it."""

    name: str
    kind: str
    """``projection`` or ``policy``."""
    follows: Sequence[ContextName]
    dead_letters: int
    """Its open dead letters."""
    is_paused: bool
    is_blocked: bool
    """Whether it stopped because its dead letters reached the limit."""

    @property
    def state(self) -> str:
        """``blocked``, ``paused`` or ``active``."""
        return "blocked" if self.is_blocked else "paused" if self.is_paused else "active"

    def as_json(self) -> Mapping[str, Any]:
        """Returns the content of the subscription in ``--json``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "follows": [str(context) for context in self.follows],
            "dead_letters": self.dead_letters,
            "state": self.state,
        }


async def list_subscriptions(settings: Settings, *, as_json: bool) -> None:
    """Prints every subscription of the installed systems. Raises `Unavailable`."""
    async with subscriptions(settings) as found:
        listed = await asyncio.gather(*(_listed(one, settings.max_dead_letters) for one in found))
    if as_json:
        typer.echo(orjson.dumps([one.as_json() for one in listed]))
        return
    console().print(listing(listed))
    typer.echo("\n`caudal status --all` shows how far behind each one is.")


def listing(listed: Sequence[ListedSubscription]) -> RenderableType:
    """Returns a table with a row for each subscription, under a heading for each system."""
    columns = ("Subscription", "Kind", "Dead letters", "State", "Follows")
    groups = {
        system: [_cells(name, one) for name, one in named]
        for system, named in grouped_by_system((one.name, one) for one in listed).items()
    }
    return grouped(columns, groups, ("Dead letters",))


def _cells(name: str, one: ListedSubscription) -> Sequence[str]:
    state = one.state if one.state == "active" else f"[bold yellow]{one.state}[/]"
    return escape(name), one.kind, f"{one.dead_letters:,}", state, escape(", ".join(map(str, one.follows)))


async def _listed(one: InstalledSubscription, max_dead_letters: int) -> ListedSubscription:
    dead_letters, is_paused, is_blocked = 0, False, False
    for store in one.stores:
        async with store.transaction() as connection:
            count = await store.dead_letters.count(connection)
        dead_letters += count
        is_paused |= (await store.checkpoints.control_state()).is_paused
        is_blocked |= count >= max_dead_letters
    return ListedSubscription(one.name, one.kind, one.contexts, dead_letters, is_paused, is_blocked)
