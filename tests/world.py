"""A system in memory in which each command is handled as in production: validated, encrypted, decided, projected, published.

Everything that is recorded is read again in each way in which a process reads it; what cannot be read raises.
"""

import base64
import binascii
import copy
import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import ARRAY

from aggregates.aggregate_stream import AggregateState
from aggregates.state import State, state_schema_of
from aggregates.system import Domains, streams_of, with_sagas
from command_api.handling import activities
from command_api.handling.activities import ActivityDependencies
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from command_api.handling.validation import check_encrypted, check_plain, parse_json, validate_command
from command_api.policies.outgoing_commands import OutgoingCommand, OutgoingCommands
from command_api.timer_clock import timer_command
from command_api.topic_worker import MORE_LEVELS
from deploy.operations.replay.events import csv_writer, write_csv, write_json
from projectors.discovery import installed
from projectors.view_writer import ViewWriter
from query_api.audit.history import described
from query_api.audit.time_travel import TimeTravel
from query_api.http.responses import json_response
from query_api.views.values import parse_value
from schemas.engine.sagas import CONTEXT as SAGAS
from schemas.engine.sagas import SagaAdvanced
from schemas.envelope import CommandEnvelope, RecordedEvent, Rejection
from schemas.errors import Rejected
from schemas.message import Command, Event
from schemas.sensitive import MARK, is_encrypted
from schemas.system import ENGINE, ContextName
from schemas.view import View
from streams.broker.cloudevents import Outgoing, decode_command, decode_event, encode_command, encode_event
from streams.discovery import declared_domains, installed_catalog
from streams.log.memory import MemoryLog
from streams.log.stored_events import StoredEvent, decode
from streams.settings import Settings

_DEPTH = 64
_MAX_COMMANDS = 200


class Keys:
    """Encodes texts in the place of encrypting them."""

    def __init__(self) -> None:
        self.erased: set[str] = set()

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        if not subject or ":" in subject:
            raise Rejected("the data subject's name is empty or has a colon")
        return {
            purpose: text if is_encrypted(text) else f"{MARK}{subject}:{base64.b64encode(text.encode()).decode()}"
            for purpose, text in texts.items()
        }

    async def decrypted(self, encrypted: Iterable[str]) -> Mapping[str, str]:
        found = {}
        for text in filter(is_encrypted, encrypted):
            with suppress(binascii.Error, UnicodeDecodeError):  # no key decrypts a text of that form
                found[text] = base64.b64decode(text.rpartition(":")[2]).decode()
        return found

    async def knows(self, subject: str) -> bool:
        return subject not in self.erased

    async def erase(self, subject: str) -> None:
        self.erased.add(subject)


class Here:
    """Runs computations in this process."""

    async def run(self, _: Any, function: Any, *args: Any) -> Any:
        return function(*args)


class Parts:
    """The parts of a system that all of its worlds share."""

    def __init__(self, system: str) -> None:
        self.catalog = installed_catalog([system])
        self.domains: Domains = with_sagas(declared_domains(self.catalog), self.catalog)
        self.streams = streams_of(self.domains, self.catalog)
        self.projections = installed(self.catalog)
        self.writers = {one.full_name: ViewWriter(one, one.table()) for one in self.projections}
        self.policies = [OutgoingCommands(self.catalog, policy) for one in self.domains.values() for policy in one.policies]
        keys: Any = Keys()
        here: Any = Here()
        self.time_travel = TimeTravel(self.catalog, here)
        self.passwords = Passwords()
        self.dependencies = ActivityDependencies(Settings(), keys, here, activities.installed(self.catalog))


class World:
    """One system in memory. A copy begins with the same logs and rows."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.logs = {name: MemoryLog(name, context.partitions) for name, context in parts.catalog.contexts.items()}
        self.rows: dict[tuple[str, Any], View] = {}
        self._seen = dict.fromkeys(self.logs, 0)

    def copy(self) -> "World":
        """Returns a world that changes without this one."""
        other = World(self.parts)
        for name, log in self.logs.items():
            other.logs[name] = copy.copy(log)
            vars(other.logs[name]).update({field: copy.copy(value) for field, value in vars(log).items()})
        other.rows, other._seen = dict(self.rows), dict(self._seen)
        return other

    @property
    def keys(self) -> Mapping[str, list[str]]:
        """The keys of the streams, by category."""
        found: dict[str, list[str]] = {}
        for stream in sorted({row.stream for log in self.logs.values() for row in log._rows}):
            category, _, key = stream.partition("-")
            found.setdefault(category, []).append(key)
        return found

    async def receive(self, body: bytes, command: type[Command], id: UUID, at: datetime, actor: str | None = None) -> None:
        """Handles a body as a path of a command does, and all that follows; raises what the client gets."""
        document = parse_json(body, _DEPTH)
        data = validate_command(document, command)
        data = check_encrypted(data) if command.internal else check_plain(data)
        await self.handle(CommandEnvelope(data=data, id=id, at=at, correlation_id="c", actor=actor))

    async def handle(self, first: CommandEnvelope[Any]) -> None:
        """Handles a command and all that follows; raises the first command's rejection, and any other fault."""
        parts = self.parts
        handler = CommandHandler(
            parts.catalog, parts.domains, self.logs, dependencies=parts.dependencies, passwords=parts.passwords
        )
        await handler.handle(first)
        await self._check_events()
        waiting = deque(await self._reactions())
        handled = 0
        while waiting:
            outgoing = waiting.popleft()
            handled += 1
            assert handled < _MAX_COMMANDS, f"{outgoing.envelope.data!r} has no end"
            rejection = await self._follow(handler, outgoing)
            waiting += await self._reactions()
            if (following := outgoing.on_outcome(rejection)) is not None:
                waiting.append(following)

    async def fire_timers(self) -> None:
        """Fires every timer that is set when it is due, once, and handles all that follows."""
        for timer in list(self.logs[ContextName(ENGINE, SAGAS)].timers.values()):
            await self.handle(timer_command(timer, timer.due_at))

    async def _follow(self, handler: CommandHandler, outgoing: OutgoingCommand) -> Rejection | None:
        """Handles a command of a policy as it comes from its topic."""
        system = outgoing.context.system
        record = _consumed(encode_command(outgoing.envelope, system, outgoing.key))
        sent, decoded = outgoing.envelope, decode_command(record)
        assert sent.data.internal, f"clients could send {sent.data.message_name}, a step of a policy or a saga, themselves"
        data = check_encrypted(validate_command(parse_json(decoded.value, _DEPTH + MORE_LEVELS), type(sent.data)))
        assert (data, decoded.at) == (sent.data, sent.at), "a command is read from its topic as it was sent"
        try:
            await handler.handle(sent)
        except Rejected as error:
            return Rejection(error.kind, error.detail, sent.correlation_id)
        finally:
            for event in await self._check_events():
                if isinstance(event, SagaAdvanced):
                    assert "the reaction failed" not in (event.problem or ""), event.problem
        return None

    async def _reactions(self) -> list[OutgoingCommand]:
        """Returns the commands of all policies to the events that are new, which are projected."""
        found: list[OutgoingCommand] = []
        for name, log in self.logs.items():
            for row in await log.read(self._seen[name], _MAX_COMMANDS):
                event = decode(row, name, self.parts.catalog)
                self._project(event)
                found += [made for policy in self.parts.policies for made in policy.of(event)]
                self._seen[name] = row.position
        return found

    def _project(self, event: RecordedEvent[Any]) -> None:
        for projection in self.parts.projections:
            if type(event.data) in projection.events:
                place = (projection.full_name, projection.key_of(event))
                row: Any = projection.apply(self.rows.get(place) or projection.new_row(place[1]), event)
                if row is None:
                    self.rows.pop(place, None)
                    continue
                written = orjson.loads(self.parts.writers[projection.full_name]._as_json([row]))
                shown = type(row).model_validate(written[0])
                assert json_response(shown.model_dump())
                self._check_queries(projection.table(), row, written[0])
                self.rows[place] = row

    def _check_queries(self, table: Table, row: View, written: Mapping[str, Any]) -> None:
        """Checks that a filter and a cursor, which hold a value as text, find the value of each column."""
        for column in table.columns:
            value, raw = getattr(row, column.name, None), written.get(column.name)
            if value is None or isinstance(column.type, ARRAY | JSONB) or type(value) is str:
                continue
            assert parse_value(column.type, str(raw).lower() if isinstance(raw, bool) else str(raw)) == value

    async def _check_events(self) -> list[Event]:
        """Returns the new events, each of which can be read in every way."""
        found = []
        for name, log in self.logs.items():
            rows = await log.read(self._seen[name], _MAX_COMMANDS)
            for row in rows:
                read = decode_event(_consumed(encode_event(row, name), row.partition))
                assert read._replace(metadata="", data="") == row._replace(metadata="", data="")
                assert decode(read, name, self.parts.catalog) == decode(row, name, self.parts.catalog)
                assert json_response(described(row))
                _check_replay(row)
                found.append(decode(row, name, self.parts.catalog).data)
            for stream in {row.stream for row in rows}:
                await self._check_stream(log, stream, [row for row in rows if row.stream == stream])
        return found

    async def _check_stream(self, log: MemoryLog, name: str, new: list[StoredEvent]) -> None:
        stream = self.parts.streams[log.context].get(name.partition("-")[0])
        assert stream is not None, f"{name} is of no category"
        rows = await log.read_stream(name)
        state: State = stream.fold(stream.initial, (decode(row, log.context, self.parts.catalog).data for row in rows))
        if not isinstance(state, AggregateState):  # which has no snapshots: its attributes have no declared types
            assert type(state).from_snapshot(state_schema_of(type(state)), state.model_dump_json()) == state
        shown = await self.parts.time_travel.state(log, name, "auditor")
        assert json_response({"state": shown.state, "at": shown.recorded_at})
        assert json_response(
            await self.parts.time_travel.difference(log, name, "auditor", new[-1].version - 1, new[-1].version)
        )


def _check_replay(row: StoredEvent) -> None:
    """Checks that an event is the same in every form in which it is exported."""
    lines, table = io.StringIO(), io.StringIO()
    write_json([row], lines)
    csv_writer(table).writeheader()
    write_csv([row], table)
    exported = (json.loads(lines.getvalue()), next(csv.DictReader(io.StringIO(table.getvalue().encode().decode(), newline=""))))
    for found in exported:
        assert (int(found["position"]), found["stream"], found["type"]) == (row.position, row.stream, row.type)
    assert exported[0]["data"] == json.loads(row.data) == json.loads(exported[1]["data"])


def _consumed(record: Outgoing, partition: int = 0) -> Any:
    return SimpleNamespace(
        topic="t", partition=partition, offset=0, key=record.key, value=record.value, headers=tuple(record.headers)
    )
