"""Routes of the audit: ``/audit/{system}/{context}/…``."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from query_api.audit.causation import causation_of
from query_api.audit.history import Selection, bounds, described, history_of, moment, page_of, place
from query_api.audit.proof import MAX_EVENTS, proof_of
from query_api.audit.time_travel import TimeTravel
from query_api.http.parameters import Parameters, next_link, whole_number
from schemas.catalog import Catalog, ContextName
from schemas.errors import Forbidden, Invalid, Unauthenticated
from streams.database.pools import Databases
from streams.http.responses import JsonResponse
from streams.installation import Installation
from streams.integrity.proof_log import ProofLog
from streams.log.search import Conditions, SearchableLog
from streams.security.access_control import AccessControl
from streams.settings import Settings

_NDJSON = "application/x-ndjson"
Log = TypeVar("Log", SearchableLog, ProofLog)


class AuditEndpoints:
    """Shows what the logs hold: to whoever may look, exactly as it was recorded."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, gate: AccessControl) -> None:
        self._installation = Installation(settings, catalog, databases)
        self._catalog, self._gate = catalog, gate
        self._time_travel = TimeTravel(catalog)

    def routes(self) -> Iterator[BaseRoute]:
        """Every path of the audit."""
        own: tuple[tuple[str, Callable[[Request], Awaitable[Response]]], ...] = (
            ("streams/{stream:path}", self.history),
            ("states/{stream:path}", self.state),
            ("differences/{stream:path}", self.difference),
            ("proofs/{stream:path}", self.proof),
            ("events", self.events),
            ("events/{position}/causation", self.causation),
        )
        for path, endpoint in own:
            full = f"/audit/{{system}}/{{context}}/{path}"
            yield Route(full, self._gate.protect(full, endpoint))

    async def history(self, request: Request) -> Response:
        """A stream's events, a page at a time by version."""
        log, stream = self._log(request, SearchableLog), request.path_params["stream"]
        asked = Parameters(request, "after", "limit")
        limit = asked.limit()
        events = await history_of(log, stream, asked.number("after", 0), limit)
        headers = {}
        if len(events) == limit:
            headers["Link"] = next_link(request, str(events[-1]["version"]))
        return _json({"context": str(log.context), "stream": stream, "events": events}, headers)

    async def state(self, request: Request) -> Response:
        """A stream's aggregate after a version, as it was at a time, or now."""
        log, stream = self._log(request, SearchableLog), request.path_params["stream"]
        asked = Parameters(request, "version", "at")
        if asked.given("version") and asked.given("at"):
            raise Invalid("a state is one at a version or at a time, not both")
        version = asked.number("version", 0) if asked.given("version") else None
        at = asked.text("at")
        found = await self._time_travel.state(
            log, stream, version=version, at=None if at is None else moment(_from_url(at), "at")
        )
        return _json({"context": str(log.context), "stream": stream, **_fields(found)}, {"ETag": f'"{found.version}"'})

    async def difference(self, request: Request) -> Response:
        """What changed in a stream's aggregate between two versions, and the events that did it."""
        log, stream = self._log(request, SearchableLog), request.path_params["stream"]
        asked = Parameters(request, "from", "to")
        new = asked.number("to", await log.version(stream))
        found = await self._time_travel.difference(log, stream, asked.number("from", max(new - 1, 0)), new)
        return _json({"context": str(log.context), "stream": stream, **found})

    async def proof(self, request: Request) -> Response:
        """A stream's events with the proof that the signed log holds them."""
        log, stream = self._log(request, ProofLog), request.path_params["stream"]
        asked = Parameters(request, "after", "limit")
        found = await proof_of(log, stream, asked.number("after", 0), asked.limit(MAX_EVENTS))
        headers = {} if found.next is None else {"Link": next_link(request, str(found.next))}
        return _json(found.document, headers)

    async def events(self, request: Request) -> Response:
        """A log's events: pages by position, or all of them as NDJSON."""
        log = self._log(request, SearchableLog)
        asked = Parameters(request, "from", "to", "stream", "type", "correlation_id", "after", "limit")
        begin, end, types = asked.text("from"), asked.text("to"), asked.texts("type")
        selection = Selection(
            Conditions(asked.text("stream"), types or None, asked.text("correlation_id")),
            None if begin is None else place(_from_url(begin), "from"),
            None if end is None else place(_from_url(end), "to"),
        )
        if _NDJSON in request.headers.get("accept", ""):
            if asked.given("after") or asked.given("limit"):
                raise Invalid("as NDJSON all events are sent: `after` and `limit` are for pages")
            after, up_to = await bounds(log, selection)  # before the answer begins: a database that is gone is a 503 still
            return StreamingResponse(_lines(log, selection.conditions, after, up_to), media_type=_NDJSON)
        rows, further = await page_of(log, selection, asked.number("after", 0), asked.limit())
        headers = {} if further is None else {"Link": next_link(request, str(further))}
        return _json({"context": str(log.context), "events": [described(row) for row in rows]}, headers)

    async def causation(self, request: Request) -> Response:
        """The event at a position in the tree of what led to it and what came of it, through the system's contexts.

        Whoever may look into the engine's own log of processes sees the steps between them, too.
        """
        Parameters(request)
        here = self._log(request, SearchableLog).context
        contexts = [name for name in self._catalog.related(here.system) if self._may_look(request, here, name)]
        logs = SearchableLog.of_contexts(self._installation, contexts)
        tree = await causation_of(logs, here, whole_number(request.path_params["position"], "position"))
        return _json(tree.as_json())

    def _may_look(self, request: Request, here: ContextName, context: ContextName) -> bool:
        """Whether a caller may look into a log; raises `Unauthenticated` or `Forbidden` for one of the same system."""
        try:
            self._gate.authorize(request, "audit", str(context), self._catalog.context(context).audit)
        except (Unauthenticated, Forbidden):
            if context.system == here.system:
                raise
            return False
        return True

    def _log(self, request: Request, kind: type[Log]) -> Log:
        context = ContextName(request.path_params["system"], request.path_params["context"])
        self._gate.authorize(request, "audit", str(context), self._catalog.context(context).audit)
        return kind(self._installation.log_store(context), context)


async def _lines(log: SearchableLog, conditions: Conditions, after: int, up_to: int) -> AsyncIterator[bytes]:
    async for found in log.search(conditions, after, up_to):
        yield b"".join([orjson.dumps(described(row), option=orjson.OPT_UTC_Z) + b"\n" for row in found.rows])


def _from_url(time: str) -> str:
    return time.replace(" ", "+")  # an offset such as +01:00 whose plus sign was not escaped


def _fields(value: Any) -> Mapping[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _json(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return Response(content, headers=headers, media_type=JsonResponse.media_type)
