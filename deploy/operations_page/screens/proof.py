"""Proof: how far the logs are signed, and how the last verifications ended."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from deploy.console.printing import ago, counted
from deploy.operations.history import HistoryFilter, list_operations
from deploy.operations.operation import OPERATORS
from deploy.operations_page.screen import Asked, Screen, Shown
from schemas.system import ContextName
from streams.integrity.proof_log import ProofLog


async def show(asked: Asked) -> Shown:
    """Shows the signed heads, and the verifications that are recorded."""
    contexts = list(asked.installation.catalog.contexts)
    rows = await asyncio.gather(*(_signed(asked, context) for context in contexts))
    runs = await list_operations(asked.installation, HistoryFilter(operation="verify", limit=20))
    values = {"logs": [row for row in rows if row["head"]], "empty": sum(not row["head"] for row in rows), "runs": runs}
    unsigned = sum(max(0, row["head"] - row["signed"]) for row in rows)
    signed = "Every event is signed" if not unsigned else f"{counted(unsigned, 'event')} not signed yet"
    ended = next((run for run in runs if run["outcome"]), None)
    if ended is None:
        return Shown(f"{signed}; nothing was verified from here.", "warning", values)
    when = ago(ended["ended_at"], datetime.now(UTC))
    if ended["outcome"] != "done":
        return Shown(f"The verification of {when} found differences.", "bad", values)
    return Shown(f"{signed}; all was right {when}.", "good", values)


async def _signed(asked: Asked, context: ContextName) -> Mapping[str, Any]:
    log = ProofLog(asked.installation.within("caudal_reader").log_store(context), context)
    newest = await log.newest_signed_heads(1)
    head = (await log.head()).position
    signed = newest[0] if newest else None
    return {
        "name": str(context),
        "head": head,
        "signed": 0 if signed is None else signed.position,
        "at": None if signed is None else signed.signed_at,
    }


SCREEN = Screen("/proof", "proof", "Proof", "Is it proved that nothing was lost or altered?", show, OPERATORS)
