"""``caudal subscriptions list``: projections and policies by their names, with what they follow and whether they are paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter
from rich.console import RenderableType
from rich.markup import escape

from deploy.console.printing import grouped, grouped_by_system
from deploy.operations.installation import OpenInstallation
from deploy.operations.installed_subscriptions import InstalledSubscription
from deploy.operations.reading import Listing, Reading, listed
from deploy.operations.run import Parameters


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription with what is shown of it."""

    name: str
    kind: Literal["projection", "policy"]
    follows: Sequence[str]
    """Contexts."""
    dead_letters: int
    """Its open dead letters."""
    state: Literal["active", "paused", "blocked"]
    """``blocked``: it stopped because its dead letters reached the limit."""


class EverySubscription(Parameters):
    """All subscriptions."""


async def list_subscriptions(installation: OpenInstallation, _: EverySubscription) -> Listing[ListedSubscription]:
    """Lists projections and policies: what they follow, their dead letters, and whether they are paused or blocked."""
    limit = installation.settings.max_dead_letters
    return await listed(_listed(one, limit) for one in installation.subscriptions)


def subscription_table(rows: Sequence[ListedSubscription]) -> RenderableType:
    """Returns a table with a row for each subscription, under a heading for each system."""
    columns = ("Subscription", "Kind", "Dead letters", "State", "Follows")
    groups = {
        system: [_cells(name, one) for name, one in named]
        for system, named in grouped_by_system((one.name, one) for one in rows).items()
    }
    return grouped(columns, groups, ("Dead letters",))


def _cells(name: str, one: ListedSubscription) -> Sequence[str]:
    state = one.state if one.state == "active" else f"[bold yellow]{one.state}[/]"
    return escape(name), one.kind, f"{one.dead_letters:,}", state, escape(", ".join(one.follows))


async def _listed(one: InstalledSubscription, max_dead_letters: int) -> Sequence[ListedSubscription]:
    dead_letters, is_paused, is_blocked = 0, False, False
    for store in one.stores:
        async with store.transaction() as connection:
            count = await store.dead_letters.count(connection)
        dead_letters += count
        is_paused |= (await store.checkpoints.control_state()).is_paused
        is_blocked |= count >= max_dead_letters
    state: Literal["active", "paused", "blocked"] = "blocked" if is_blocked else "paused" if is_paused else "active"
    return [ListedSubscription(one.name, one.kind, [str(context) for context in one.contexts], dead_letters, state)]


LIST = Reading("subscriptions/list", EverySubscription, list_subscriptions, TypeAdapter(Listing[ListedSubscription]))
