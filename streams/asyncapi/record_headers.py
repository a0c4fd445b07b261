"""The headers of records, in words: for pages about topics and for the AsyncAPI document."""

from collections.abc import Mapping

EVENT_HEADERS: Mapping[str, str] = {
    "ce_specversion": "`1.0`, that of CloudEvents",
    "ce_type": "`system.event`",
    "ce_id": "id of the event: a record with an id that was seen before is a repeat",
    "ce_source": "the context",
    "ce_subject": "the stream",
    "ce_time": "when it was recorded",
    "ce_position": "its position in the log, from 1",
    "ce_previous": "position of the record before it in this partition: a gap is a lost record",
    "ce_streamversion": "its version in its stream, from 1",
    "ce_schemaversion": "version of the event's schema",
    "ce_correlationid": "shared by all that followed one request",
    "ce_causationid": "id of the event that led to it, through a policy or a saga",
    "ce_commandid": "the command that recorded it",
    "ce_command": "the name of that command",
    "ce_actor": "the caller",
    "ce_traceparent": "the trace of the request (W3C)",
    "content-type": "`application/json`",
    "ce_backfilled": "`true` if it was published again",
    "ce_timeline": "number of the log's timeline, if the log went back",
}
COMMAND_HEADERS: Mapping[str, str] = {
    "ce_specversion": "`1.0`, that of CloudEvents",
    "ce_type": "`system.command`",
    "ce_source": "the system",
    "ce_id": "id of the command: a repeated id is handled once",
    "ce_idempotencykey": "takes the place of the id, if it is there",
    "ce_correlationid": "shared by all that followed one request",
    "ce_causationid": "id of the event that led to it",
    "ce_time": "when it was sent",
    "ce_actor": "the caller on whose behalf it was sent",
    "ce_policy": "the policy or saga that sent it",
    "ce_traceparent": "the trace of the request (W3C)",
    "content-type": "`application/json`",
}
DEAD_LETTER_HEADERS: Mapping[str, str] = {
    "dead_letter_origin": "where the record was: `topic/partition@offset`, or `log@position`",
    "dead_letter_error": "why it could not be handled",
    "dead_letter_context": "the context that it is about",
    "dead_letter_subscription": "the projection or policy; a record comes once for each that parked it",
    "dead_letter_id": "its number in the table of that subscription; missing for a record that is no command",
}
