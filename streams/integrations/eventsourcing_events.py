"""Events of an application written with ``eventsourcing``, in the form in which a log of Caudal's keeps them."""

import base64
import re
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from uuid_utils import uuid7

from schemas.errors import Misconfigured
from streams.log.reading import checked
from streams.log.stored_events import EventData
from streams.log.stored_events import StoredEvent as LogEvent

CATEGORY = "aggregate"
_FORM = re.compile(r'{"originator_version":(\d+),"(state|base64)":')


def stream_of(originator_id: UUID | str) -> str:
    """The stream of an originator; raises `Invalid` where no stream can have its name."""
    return checked(f"{CATEGORY}-{originator_id}")


def encoded(event: StoredEvent) -> EventData:
    """The event as the log takes it: a state that is JSON stays readable, to the byte, any other is kept as base64."""
    try:
        state = event.state.decode()
        orjson.loads(state)
        name = "state"
    except ValueError:
        state, name = f'"{base64.b64encode(event.state).decode()}"', "base64"
    data = f'{{"originator_version":{event.originator_version},"{name}":{state}}}'
    return EventData(str(uuid7()), event.topic, 1, data)


def decoded(row: LogEvent) -> tuple[int, bytes]:
    """The originator's version and the state, as they were given; raises `Misconfigured` for an event of somebody else's."""
    text = row.data if isinstance(row.data, str) else row.data.decode()
    form = _FORM.match(text)
    if form is None:
        raise Misconfigured(f"the event at position {row.position} was not written by this recorder")
    state = text[form.end() : -1]
    return int(form[1]), state.encode() if form[2] == "state" else base64.b64decode(state)
