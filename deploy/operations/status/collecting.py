"""The collection of a status: the health of processes over HTTP, everything else from the databases, all at once."""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import orjson

from deploy.console.endpoints import Endpoints
from deploy.local.ports import LOOPBACK, listens
from deploy.local.servers.readiness import DOES_NOT_ANSWER, why_broker_is_not_ready, why_postgres_is_not_ready
from deploy.operations.installation import OpenInstallation
from deploy.operations.installed_subscriptions import InstalledSubscription
from deploy.operations.projections.table_shapes import shape_problem
from deploy.operations.sagas.reading import may_wait_indefinitely, saga_rows
from deploy.operations.sagas.stuck import RUNNING, why_stuck
from deploy.operations.status.installation_status import (
    SERVERS,
    InstallationStatus,
    LogStatus,
    ProcessStatus,
    SagaStatus,
    SubscriptionStatus,
    ViewStatus,
)
from schemas.system import ContextName
from streams.broker.clients import why_no_broker_answers

T = TypeVar("T")


class StatusCollector:
    """Collects the status of one installation; its connections stay open until it is closed, so a second time is faster."""

    def __init__(self, installation: OpenInstallation) -> None:
        self._open = installation
        self._settings, self._catalog = installation.settings, installation.catalog
        self._installation = installation.within("caudal_reader")
        self._client = httpx.AsyncClient(timeout=3, verify=False)  # plain HTTP: there are no certificates to load

    async def close(self) -> None:
        """Closes its connections to processes."""
        await self._client.aclose()

    async def collect(self) -> InstallationStatus:
        """Returns the status now. Raises `Unavailable` if a database is out of reach."""
        processes, broker, logs, found, views, sagas = await asyncio.gather(
            self.processes(),
            self._broker(),
            _all(self._log(context) for context in self._catalog.contexts),
            self.subscriptions(),
            _all(self._view(one) for one in self._open.subscriptions if one.projection is not None),
            self._sagas(),
        )
        return InstallationStatus(processes, logs, found, views, sagas, broker)

    async def subscriptions(self) -> list[SubscriptionStatus]:
        """Returns every subscription in each context that it follows. Raises `Unavailable`."""
        return await _all(self._subscription(one, context) for one in self._open.subscriptions for context in one.contexts)

    async def processes(self) -> list[ProcessStatus]:
        """Returns the processes of the local stack; none without one."""
        stack = self._open.stack
        return [] if stack is None else await _all(self._process(stack, name) for name in stack.ports)

    async def _process(self, stack: Endpoints, name: str) -> ProcessStatus:
        process = "broker" if name == "controller" else name.partition(" ")[0]  # a process serves every gateway
        port, log = stack.ports[name], str(Path(stack.log_dir, f"{process}.log"))
        if not await asyncio.to_thread(listens, port):
            return ProcessStatus(name, port, "down", log=log)
        if name in SERVERS:
            return ProcessStatus(name, port, *await _state_of_server(name, port, stack.postgres), log=log)
        try:
            answer = (await self._client.get(f"http://{LOOPBACK}:{port}/readyz")).json()
        except (httpx.HTTPError, ValueError):
            return ProcessStatus(name, port, "does not answer", log=log)
        return ProcessStatus(name, port, answer["status"], "; ".join(answer.get("failing", {}).values()), log)

    async def _broker(self) -> str | None:
        return await why_no_broker_answers(self._settings) if self._open.stack is None else None

    async def _log(self, context: ContextName) -> LogStatus:
        row = await self._installation.log_store(context).fetch_merged("log_status")
        assert row is not None, "the migration made the rows"
        return LogStatus(str(context), **row)

    async def _subscription(self, one: InstalledSubscription, context: ContextName) -> SubscriptionStatus:
        row = await one.store_of(context).store.fetch_merged("subscription_status", one.name, str(context))
        assert row is not None, "it counts"
        positions: dict[str, int] = orjson.loads(row["positions"] or "{}")
        checkpoint = [positions.get(str(partition), 0) for partition in range(self._catalog.context(context).partitions)]
        lag = await self._installation.log_store(context).fetch_merged("lag", tuple(checkpoint))
        assert lag is not None, "it counts"
        return SubscriptionStatus(
            name=one.name,
            context=str(context),
            checkpoint=checkpoint,
            lag=lag["events"],
            is_paused=row["is_paused"],
            dead_letters=row["dead_letters"],
            oldest_at=lag["oldest"],
            is_blocked=row["of_all_contexts"] >= self._settings.max_dead_letters,
        )

    async def _view(self, one: InstalledSubscription) -> ViewStatus:
        assert one.projection is not None, "a policy has no view"
        view, home = one.projection.view, one.projection.home
        store = self._installation.view_store(home)
        versions = await store.fetch_merged("rebuild_state", view.view_name)
        return ViewStatus(one.name, versions["building"] if versions else None, await shape_problem(store, home, view))

    async def _sagas(self) -> SagaStatus:
        rows = await saga_rows(self._installation, [("status[in]", RUNNING)])
        may_wait, now = may_wait_indefinitely(self._catalog), datetime.now(UTC)
        stuck = {row["saga_id"]: why_stuck(row, now, may_wait=row["saga"] in may_wait) for row in rows}
        return SagaStatus(len(rows), {id: why for id, why in stuck.items() if why is not None})


async def _state_of_server(name: str, port: int, dsn: str) -> tuple[str, str]:
    """Returns the state of a server that accepts connections, and why it is not ready. Of the mail server, and of Kafka's
    controller, which speaks another protocol, no more is asked.
    """
    match name:
        case "postgres":
            why = await why_postgres_is_not_ready(dsn)
        case "broker":
            why = await why_broker_is_not_ready(port)
        case _:
            why = None
    if why is None:
        return "ready", ""
    return ("does not answer", "") if why.startswith(DOES_NOT_ANSWER) else ("not ready", why)


async def _all(work: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*work))
