"""Routes of the audit: ``/audit/{system}/{context}/…``."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from query_api.audit.causation import causation_of
from query_api.audit.history import Selection, bounds, described, history_of, moment, page_of, place
from query_api.audit.live_log import LastEvent, follow_log
from query_api.audit.proof import MAX_EVENTS, proof_of
from query_api.audit.time_travel import TimeTravel
from query_api.http.audit_paths import ALL_EVENTS, AUDIT_PATHS, ONE_OF_TWO
from query_api.http.parameters import MAX_POSITION, Parameters, whole_number
from query_api.http.responses import json_response
from query_api.live.limits import ConnectionLimit, LiveResponse
from query_api.views.paging import next_link
from schemas.errors import Forbidden, Invalid, Unauthenticated
from schemas.system import ContextName
from schemas.values.names import nfc
from streams.bounded_processes import BoundedProcesses
from streams.http.request_context import context_of
from streams.installation import Installation
from streams.integrity.proof_log import ProofLog
from streams.log.search import Conditions, SearchableLog
from streams.security.access_control import AccessControl, Endpoint

_NDJSON = "application/x-ndjson"
Log = TypeVar("Log", SearchableLog, ProofLog)


class AuditEndpoints:
    """Shows what the logs hold, as it was recorded, to callers who may read a log."""

    def __init__(
        self, installation: Installation, access_control: AccessControl, processes: BoundedProcesses, live: ConnectionLimit
    ) -> None:
        self._live = live
        self._installation, self._catalog, self._access_control = installation, installation.catalog, access_control
        self._time_travel = TimeTravel(installation.catalog, processes)

    def routes(self) -> Iterator[BaseRoute]:
        """Yields the routes of the audit."""
        endpoints: Mapping[str, Endpoint] = {
            "history": self.history,
            "state": self.state,
            "difference": self.difference,
            "proof": self.proof,
            "live": self.live,
            "events": self.events,
            "causation": self.causation,
        }
        for one in AUDIT_PATHS:
            path = f"/audit/{{system}}/{{context}}/{one.path}"
            yield Route(path, self._access_control.protect(path, endpoints[one.name]))

    async def history(self, request: Request) -> Response:
        """Answers with a stream's events, a page at a time by version."""
        log = self._log(request, SearchableLog)
        stream = await _as_stored(log, request.path_params["stream"])
        parameters = Parameters(request, "after", "limit")
        events, further = await history_of(log, stream, parameters.version("after", 0), parameters.limit())
        return json_response({"context": str(log.context), "stream": stream, "events": events}, _link(request, further))

    async def state(self, request: Request) -> Response:
        """Answers with the state of a stream's aggregate at a version, at a time, or now."""
        log = self._log(request, SearchableLog)
        stream = await _as_stored(log, request.path_params["stream"])
        parameters = Parameters(request, "version", "at")
        if parameters.has("version") and parameters.has("at"):
            raise Invalid(f"{ONE_OF_TWO}; remove one of the two parameters")
        version = parameters.version("version", 0) if parameters.has("version") else None
        at = parameters.text("at")
        time, caller = None if at is None else moment(at, "at"), context_of(request).counted_as
        found = await self._time_travel.state(log, stream, caller, version=version, at=time)
        body = {"context": str(log.context), "stream": stream, **_fields(found)}
        return json_response(body, {"ETag": f'"{found.version}"'})

    async def difference(self, request: Request) -> Response:
        """Answers with what changed in a stream's aggregate between two versions, and the events that changed it."""
        log = self._log(request, SearchableLog)
        stream = await _as_stored(log, request.path_params["stream"])
        parameters = Parameters(request, "from", "to")
        new = parameters.version("to", await log.version(stream))
        old, caller = parameters.version("from", max(new - 1, 0)), context_of(request).counted_as
        found = await self._time_travel.difference(log, stream, caller, old, new)
        return json_response({"context": str(log.context), "stream": stream, **found})

    async def proof(self, request: Request) -> Response:
        """Answers with a stream's events and the proof that the signed log contains them."""
        log = self._log(request, ProofLog)
        stream = await _as_stored(log, request.path_params["stream"])
        parameters = Parameters(request, "after", "limit")
        found = await proof_of(log, stream, parameters.version("after", 0), parameters.limit(MAX_EVENTS))
        return json_response(found.document, _link(request, found.next))

    async def events(self, request: Request) -> Response:
        """Answers with a log's events: a page by position, or all of them as NDJSON."""
        log = self._log(request, SearchableLog)
        parameters = Parameters(request, "from", "to", "stream", "type", "correlation_id", "after", "limit")
        stream = parameters.text("stream")
        selection = _selection(parameters, None if stream is None else await _as_stored(log, stream))
        if _NDJSON in request.headers.get("accept", ""):
            if parameters.has("after") or parameters.has("limit"):
                raise Invalid(f"{ALL_EVENTS}; remove `after` and `limit`, which are for pages")
            # Before the response begins, so that a database out of reach still becomes a 503.
            after, up_to = await bounds(log, selection)
            return StreamingResponse(_lines(log, selection.conditions, after, up_to), media_type=_NDJSON)
        rows, further = await page_of(log, selection, parameters.position("after", 0), parameters.limit())
        body = {"context": str(log.context), "events": [described(row) for row in rows]}
        return json_response(body, _link(request, further))

    async def live(self, request: Request) -> Response:
        """Answers with a log's events as they are recorded, from now on, above a position or after ``Last-Event-ID``."""
        log = self._log(request, SearchableLog)
        parameters = Parameters(request, "after", "stream", "type", "correlation_id")
        stream, last = parameters.text("stream"), request.headers.get("last-event-id")
        conditions = _conditions(parameters, None if stream is None else await _as_stored(log, stream))
        position = parameters.position("after", 0) if parameters.has("after") else None
        context = context_of(request)
        expiry = None if context.caller is None else context.caller.expires_at
        events = await follow_log(
            log, conditions, position if last is None else LastEvent.parse(last), float("inf") if expiry is None else expiry
        )
        return LiveResponse(events, self._live, context.counted_as)

    async def causation(self, request: Request) -> Response:
        """Answers with the tree of causes and effects of the event at a position, across the contexts of its system.

        The tree has the steps of sagas if the caller may read the engine's own log of them.
        """
        Parameters(request)
        here = self._log(request, SearchableLog).context
        contexts = [name for name in self._catalog.related(here.system) if self._may_read(request, here, name)]
        logs = SearchableLog.of_contexts(self._installation, contexts)
        tree = await causation_of(logs, here, whole_number(request.path_params["position"], "position", MAX_POSITION))
        return json_response(tree.as_json())

    def _may_read(self, request: Request, here: ContextName, context: ContextName) -> bool:
        """Returns whether a caller may read a log; raises `Unauthenticated` or `Forbidden` for a log of the same system."""
        try:
            self._access_control.authorize(context_of(request), "audit", str(context), self._catalog.context(context).audit)
        except (Unauthenticated, Forbidden):
            if context.system == here.system:
                raise
            return False
        return True

    def _log(self, request: Request, kind: type[Log]) -> Log:
        context = ContextName(request.path_params["system"], request.path_params["context"])
        self._access_control.authorize(context_of(request), "audit", str(context), self._catalog.context(context).audit)
        return kind(self._installation.log_store(context), context)


async def _as_stored(log: Log, stream: str) -> str:
    """Returns the name of a stream in NFC, as natural keys are stored; as it is given, if only such a stream may exist."""
    composed = nfc(stream)
    return composed if composed == stream or await log.version(composed) else stream


def _selection(parameters: Parameters, stream: str | None) -> Selection:
    begin, end = parameters.text("from"), parameters.text("to")
    return Selection(
        _conditions(parameters, stream),
        None if begin is None else place(begin, "from"),
        None if end is None else place(end, "to"),
    )


def _conditions(parameters: Parameters, stream: str | None) -> Conditions:
    return Conditions(stream, parameters.texts("type") or None, parameters.text("correlation_id"))


async def _lines(log: SearchableLog, conditions: Conditions, after: int, up_to: int) -> AsyncIterator[bytes]:
    async for found in log.search(conditions, after, up_to):
        yield b"".join([orjson.dumps(described(row), option=orjson.OPT_UTC_Z) + b"\n" for row in found.rows])


def _link(request: Request, after: int | None) -> Mapping[str, str]:
    if after is None:
        return {}
    return {"Link": next_link(request.scope["path"], request.query_params.multi_items(), str(after))}


def _fields(value: Any) -> Mapping[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
