"""Events of an application of the package ``eventsourcing``, encoded for a log of Caudal."""

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
    """Returns the stream of an originator; raises `Invalid` if a stream cannot have its name."""
    return checked(f"{CATEGORY}-{originator_id}")


def encoded(event: StoredEvent) -> EventData:
    """Returns the event encoded for the log: a state that is JSON is kept byte for byte, any other as base64."""
    try:
        state = event.state.decode()
        orjson.loads(state)
        name = "state"
    except ValueError:
        state, name = f'"{base64.b64encode(event.state).decode()}"', "base64"
    data = f'{{"originator_version":{event.originator_version},"{name}":{state}}}'
    return EventData(str(uuid7()), event.topic, 1, data)


def decoded(row: LogEvent) -> tuple[int, bytes]:
    """Returns the originator's version and the state; raises `Misconfigured` for an event that `encoded` has not made."""
    text = row.data if isinstance(row.data, str) else row.data.decode()
    form = _FORM.match(text)
    if form is None:
        raise Misconfigured(f"the event at position {row.position} is not of this recorder: give the application its own log")
    state = text[form.end() : -1]
    return int(form[1]), state.encode() if form[2] == "state" else base64.b64decode(state)
