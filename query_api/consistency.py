"""Consistency tokens on the read side: a read waits, within bounds, until its view has seen the write."""

import asyncio
import time

from schemas.catalog import ContextName
from schemas.errors import NotYetSeen
from schemas.token import ConsistencyToken
from schemas.view import View
from streams.checkpoints import Checkpoints
from streams.postgres import Databases, views_schema
from streams.settings import Settings


async def wait_until_seen(
    settings: Settings, databases: Databases, home: ContextName, view: type[View], token: ConsistencyToken
) -> None:
    """Returns once the view has seen the write that the token names; raises `NotYetSeen` after the longest wait.

    A view that is not fed by the token's context never sees the write; that too is reported as not yet seen.
    """
    give_up, pause = time.monotonic() + settings.max_wait_seconds, 0.002
    subscription = f"{home.system}.{view.view_name}"
    checkpoints = Checkpoints(databases, settings.view_dsn(home), views_schema(home), subscription)
    while (await checkpoints.stand(token.context, token.partition)).position < token.position:
        if time.monotonic() + pause > give_up:
            raise NotYetSeen(f"the view {view.view_name} has not seen {token} within {settings.max_wait_seconds:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.05)
