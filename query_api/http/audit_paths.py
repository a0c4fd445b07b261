"""The paths of the audit below ``/audit/{system}/{context}``: what each answers, and the parameters that it takes."""

from typing import NamedTuple


class AuditParameter(NamedTuple):
    """A parameter in the URL's query."""

    name: str
    type: str
    description: str


class AuditPath(NamedTuple):
    """One path of the audit."""

    name: str
    path: str
    summary: str
    parameters: tuple[AuditParameter, ...] = ()


_LIMIT = AuditParameter("limit", "integer", "Events of a page.")
_AFTER_VERSION = AuditParameter("after", "integer", "The version after which the page begins; the `Link` header has it.")

AUDIT_PATHS = (
    AuditPath("history", "streams/{stream:path}", "a stream's events as they were recorded", (_AFTER_VERSION, _LIMIT)),
    AuditPath(
        "state",
        "states/{stream:path}",
        "the state of a stream's aggregate at a version, at a time, or now",
        (
            AuditParameter("version", "integer", "The version."),
            AuditParameter("at", "string", "The time, with its offset."),
        ),
    ),
    AuditPath(
        "difference",
        "differences/{stream:path}",
        "what changed in a stream's aggregate between two versions (JSON Patch), and the events that changed it",
        (
            AuditParameter("from", "integer", "The earlier version; by default the one before `to`."),
            AuditParameter("to", "integer", "The later version; by default the newest."),
        ),
    ),
    AuditPath(
        "proof",
        "proofs/{stream:path}",
        "a stream's events with the proof that the signed log contains them",
        (_AFTER_VERSION, AuditParameter("limit", "integer", "Events of a proof.")),
    ),
    AuditPath(
        "events",
        "events",
        "the events of the log: a page, or all of them with `Accept: application/x-ndjson`",
        (
            AuditParameter("from", "string", "The first position, or the earliest time of recording."),
            AuditParameter("to", "string", "The last position, or the time of recording before which."),
            AuditParameter("stream", "string", "Only events of this stream."),
            AuditParameter("type", "string", "Only events of this type; may be repeated."),
            AuditParameter("correlation_id", "string", "Only events of this correlation."),
            AuditParameter("after", "integer", "The position after which the page begins; the `Link` header has it."),
            _LIMIT,
        ),
    ),
    AuditPath("causation", "events/{position}/causation", "the causes and the effects of the event at a position"),
)
