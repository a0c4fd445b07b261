"""The paths of the audit below ``/audit/{system}/{context}``: what each answers, and the parameters that it takes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from query_api.audit.proof import MAX_EVENTS
from query_api.http.parameters import MAX_POSITION, MAX_VERSION, whole_numbers
from query_api.views.paging import DEFAULT_LIMIT, MAX_LIMIT
from query_api.views.values import TEXT_SCHEMA, TIME_SCHEMA

_VERSION, POSITION = whole_numbers(MAX_VERSION), whole_numbers(MAX_POSITION)
ONE_OF_TWO = "a state has a version or a time"
ALL_EVENTS = "NDJSON has all events"
BELOW = "`from` must be a version below `to`"


class AuditParameter(NamedTuple):
    """A parameter in the URL's query."""

    name: str
    schema: Mapping[str, Any]
    description: str


class AuditPath(NamedTuple):
    """One path of the audit."""

    name: str
    path: str
    summary: str
    parameters: tuple[AuditParameter, ...] = ()
    rules: tuple[str, ...] = ()
    """Rules of its parameters together, with the words with which a rejection begins."""
    is_live: bool = False
    """Whether its answer has no end."""


def _limit(description: str, maximum: int) -> AuditParameter:
    default = min(DEFAULT_LIMIT, maximum)
    return AuditParameter("limit", {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}, description)


_LIMIT = _limit("Events of a page.", MAX_LIMIT)
_AFTER_VERSION = AuditParameter("after", _VERSION, "The version after which the page begins; the `Link` header has it.")
_PLACE = {"anyOf": [{**POSITION, "minimum": 1}, TIME_SCHEMA]}
_CONDITIONS = (
    AuditParameter("stream", TEXT_SCHEMA, "Only events of this stream."),
    AuditParameter("type", TEXT_SCHEMA, "Only events of this type; may be repeated."),
    AuditParameter("correlation_id", TEXT_SCHEMA, "Only events of this correlation."),
)

AUDIT_PATHS = (
    AuditPath("history", "streams/{stream:path}", "a stream's events as they were recorded", (_AFTER_VERSION, _LIMIT)),
    AuditPath(
        "state",
        "states/{stream:path}",
        "the state of a stream's aggregate at a version, at a time, or now",
        (
            AuditParameter("version", _VERSION, "The version."),
            AuditParameter("at", TIME_SCHEMA, "The time, with its offset."),
        ),
        (ONE_OF_TWO,),
    ),
    AuditPath(
        "difference",
        "differences/{stream:path}",
        "what changed in a stream's aggregate between two versions (JSON Patch), and the events that changed it",
        (
            AuditParameter("from", _VERSION, "The earlier version; by default the one before `to`."),
            AuditParameter("to", _VERSION, "The later version; by default the newest."),
        ),
        (BELOW,),
    ),
    AuditPath(
        "proof",
        "proofs/{stream:path}",
        "a stream's events with the proof that the signed log contains them",
        (_AFTER_VERSION, _limit("Events of a proof.", MAX_EVENTS)),
    ),
    AuditPath(
        "events",
        "events",
        "the events of the log: a page, or all of them with `Accept: application/x-ndjson`",
        (
            AuditParameter("from", _PLACE, "The first position, or the earliest time of recording."),
            AuditParameter("to", _PLACE, "The last position, or the time of recording before which."),
            *_CONDITIONS,
            AuditParameter("after", POSITION, "The position after which the page begins; the `Link` header has it."),
            _LIMIT,
        ),
        (ALL_EVENTS,),
    ),
    AuditPath(
        "live",
        "events/live",
        "the events of the log as they are recorded, as server-sent events",
        (
            AuditParameter("after", POSITION, "The position after which it begins; by default the newest of now."),
            *_CONDITIONS,
        ),
        is_live=True,
    ),
    AuditPath("causation", "events/{position}/causation", "the causes and the effects of the event at a position"),
)
