"""``caudal why``: the tree of causes and effects that an event is part of."""

import sys
from collections.abc import Sequence

import orjson
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from query_api.audit.causation import CausationTree, Cause, causation_of
from schemas.system import ENGINE, ContextName
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.installation import Installation
from streams.log.search import SearchableLog
from streams.log.stored_events import decode_metadata
from streams.settings import Settings

_HERE = "→ "


async def show_causes(context: ContextName, position: int, settings: Settings, *, everything: bool, as_json: bool) -> None:
    """Prints the tree; the event that was asked for is marked. Without ``everything`` the engine's own events are left out.

    Raises `NotFound` if there is no such event.
    """
    catalog = installed_catalog(settings.systems)
    catalog.context(context)
    databases = Databases("caudal_reader", pool_size=1)
    try:
        logs = SearchableLog.of_contexts(Installation(settings, catalog, databases), catalog.related(context.system))
        found = await causation_of(logs, context, position)
    finally:
        await databases.close()
    if as_json:
        sys.stdout.write(orjson.dumps(found.as_json(), option=orjson.OPT_UTC_Z).decode() + "\n")
        return
    out = Console(highlight=False)
    out.print(tree_of(found, (context, position), everything=everything))
    if not found.is_whole:
        out.print(
            "The tree is incomplete: a log was not searched to its end, or a chain of causes is too long.", style="yellow"
        )


def tree_of(found: CausationTree, asked: tuple[ContextName, int], *, everything: bool) -> Tree:
    """Returns the tree as rich prints it."""
    others = f", and {found.others:,} other chains with it" if found.others else ""
    tree = Tree(f"correlation {escape(found.correlation_id)}{others}")
    for root in found.roots:
        _grow(tree, root, asked, everything)
    return tree


def _grow(tree: Tree, cause: Cause, asked: tuple[ContextName, int], everything: bool) -> None:
    is_asked = (cause.context, cause.row.position) == asked
    is_shown = everything or is_asked or cause.context.system != ENGINE
    branch = tree.add(_label(cause, is_asked)) if is_shown else tree
    for effect in _in_order(cause.effects):
        _grow(branch, effect, asked, everything)


def _in_order(effects: Sequence[Cause]) -> Sequence[Cause]:
    return sorted(effects, key=lambda one: (one.row.recorded_at, one.row.position))


def _label(cause: Cause, is_asked: bool) -> str:
    row, metadata = cause.row, decode_metadata(cause.row.metadata)
    by = f" by {metadata.actor}" if metadata.actor else ""
    name = f"[bold]{_HERE}{escape(row.type)}[/]" if is_asked else escape(row.type)
    return f"{name} {escape(f'({cause.context} {row.position}, {row.stream} {row.version}), {metadata.command}{by}')}"
