"""The real log against a simple model: an order exists that explains every command that concurrent writers got accepted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from schemas.catalog import Catalog
from schemas.envelope import Metadata, Receipt
from schemas.errors import Conflict, IdempotencyKeyReused
from schemas.expected_version import ANY_VERSION, NO_STREAM, STREAM_EXISTS, ExpectedVersion
from schemas.system import Context, ContextName, System
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.log_verification import Verification
from streams.integrity.proof_log import ProofLog
from streams.log.appending import AppendablePostgresLog
from streams.log.group_commit import GroupCommit
from streams.log.reading import Append, Write
from streams.log.stored_events import EventData
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.conftest import FreshDatabase
from tests.verify import every_event

STREAMS = ("a", "b", "c")
_examples = count(1)

wished_write = st.tuples(
    st.sampled_from(STREAMS),
    st.sampled_from(("right", "stale", "ahead", "none", "exists", "any")),
    st.integers(0, 3),
)
wished_command = st.lists(wished_write, min_size=1, max_size=3, unique_by=lambda write: write[0])


@dataclass
class Model:
    """The result in a log: the commands whose events each stream has, and the answer to each command."""

    streams: dict[str, list[UUID]] = field(default_factory=lambda: {stream: [] for stream in STREAMS})
    receipts: dict[UUID, tuple[Append, Receipt]] = field(default_factory=dict)

    def version(self, stream: str) -> int:
        return len(self.streams[stream])

    def expected(self, stream: str, kind: str) -> ExpectedVersion:
        """Returns an expected version for the stream as it is now, which may be wrong on purpose."""
        match kind:
            case "right":
                return ExpectedVersion.exact(self.version(stream))
            case "stale":
                return ExpectedVersion.exact(max(self.version(stream) - 1, 0))
            case "ahead":
                return ExpectedVersion.exact(self.version(stream) + 1)
            case "none":
                return NO_STREAM
            case "exists":
                return STREAM_EXISTS
            case _:
                return ANY_VERSION


class ConcurrentWriters(RuleBasedStateMachine):
    """Two processes with a group commit each, and a writer of batches, all at once."""

    dsn: str

    @initialize()
    def open(self) -> None:
        self.context = ContextName("model", f"log{next(_examples)}")
        self.runner = asyncio.Runner()
        self.model = Model()
        self.runner.run(self._open())

    @rule(
        commands=st.lists(wished_command, min_size=1, max_size=8), writers=st.lists(st.integers(0, 2), min_size=8, max_size=8)
    )
    def append_at_once(self, commands: list[list[tuple[str, str, int]]], writers: list[int]) -> None:
        appends = [
            self._append([Write(s, self.model.expected(s, kind), _events(n)) for s, kind, n in wish]) for wish in commands
        ]
        before = {stream: self.model.version(stream) for stream in STREAMS}
        answers = self.runner.run(self._send(list(zip(writers, appends, strict=False))))
        self._explain(before, appends, answers)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if not self.model.receipts:
            return
        known = data.draw(st.sampled_from(sorted(self.model.receipts, key=str)))
        append, first = self.model.receipts[known]
        writer, other = data.draw(st.integers(0, 2)), append._replace(fingerprint=b"another")

        (again,) = self.runner.run(self._send([(writer, append)]))
        (rejected,) = self.runner.run(self._send([(writer, other)]))

        assert again == first
        assert isinstance(again, Receipt)
        assert again.repeated
        assert isinstance(rejected, IdempotencyKeyReused)

    @invariant()
    def the_log_is_what_the_model_says(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self._compare())

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self._close())
            self.runner.close()

    def _append(self, writes: Sequence[Write]) -> Append:
        id = uuid4()
        return Append(id, id.bytes, Metadata(command_id=id, correlation_id="model"), tuple(writes))

    def _explain(self, before: dict[str, int], appends: Sequence[Append], answers: Sequence[Receipt | Exception]) -> None:
        accepted = [(a, r) for a, r in zip(appends, answers, strict=True) if isinstance(r, Receipt)]
        by_position = self.runner.run(self._positions([a.command_id for a, _ in accepted]))
        for append, receipt in sorted(accepted, key=lambda one: by_position.get(one[0].command_id, 0)):
            wrote = any(write.events for write in append.writes)
            for write in append.writes:
                # What records nothing has no place in the order: it must have been right at some moment of the round.
                now = [self.model.version(write.stream)]
                possible = now if wrote else range(before[write.stream], before[write.stream] + 100)
                assert any(map(write.expected.allows, possible)), (write, now)
            for write in append.writes:
                self.model.streams[write.stream] += [append.command_id] * len(write.events)
            if wrote:
                about = append.writes[0]
                assert receipt.version == self.model.version(about.stream)
                assert receipt.began_stream == (0 < len(about.events) == receipt.version)
            self.model.receipts[append.command_id] = (append, receipt)
        failed = [append for append, answer in zip(appends, answers, strict=True) if not isinstance(answer, Receipt)]
        assert all(isinstance(answer, Receipt | Conflict) for answer in answers), answers
        for append in failed:
            others = [other for other in failed if other is not append]
            assert any(self._may_have_failed(write, before, others) for write in append.writes), append

    def _may_have_failed(self, write: Write, before: dict[str, int], others: Sequence[Append]) -> bool:
        seen = range(before[write.stream], self.model.version(write.stream) + 1)
        on_top_of_a_failure = write.expected.code >= 0 and any(
            other.stream == write.stream and other.events for append in others for other in append.writes
        )
        return on_top_of_a_failure or not all(map(write.expected.allows, seen))

    async def _open(self) -> None:
        catalog = Catalog.of([System(self.context.system, (Context(self.context.context),))])
        await migrate(Settings(write_dsn=self.dsn), catalog)
        self.databases = Databases("caudal_writer", 4)
        store = Store.of_log(self.databases, self.dsn, self.context)
        self.log = AppendablePostgresLog(store, self.context, 4)
        self.commits = [
            GroupCommit(AppendablePostgresLog(Store.of_log(self.databases, self.dsn, self.context), self.context, 4))
            for _ in range(2)
        ]

    async def _send(self, appends: Sequence[tuple[int, Append]]) -> list[Receipt | Exception]:
        batch = [append for writer, append in appends if writer == 2]

        async def one(writer: int, append: Append) -> tuple[UUID, Receipt | Exception]:
            try:
                return append.command_id, await self.commits[writer].append(append)
            except (Conflict, IdempotencyKeyReused) as error:
                return append.command_id, error

        async def many() -> list[tuple[UUID, Receipt | Exception]]:
            answers = await self.log.append(batch) if batch else []
            return [(append.command_id, answer) for append, answer in zip(batch, answers, strict=True)]

        singles = [one(writer, append) for writer, append in appends if writer < 2]
        batched, alone = await asyncio.gather(many(), asyncio.gather(*singles))
        found = dict([*batched, *alone])
        return [found[append.command_id] for _, append in appends]

    async def _positions(self, commands: Sequence[UUID]) -> dict[UUID, int]:
        rows = await every_event(self.log)
        return {id: row.position for row in rows for id in commands if str(id) in str(row.metadata)}

    async def _compare(self) -> None:
        rows = await every_event(self.log)
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        for stream, commands in self.model.streams.items():
            own = await self.log.read_stream(stream)
            assert [row.version for row in own] == list(range(1, len(own) + 1))
            assert [str(id) in str(row.metadata) for row, id in zip(own, commands, strict=True)] == [True] * len(own)
        assert set(await self.log.answers(self.model.receipts)) == set(self.model.receipts)

    async def _close(self) -> None:
        verified = await Verification(ProofLog(Store.of_log(self.databases, self.dsn, self.context), self.context), None).run(
            lambda done, total: None
        )
        assert verified.findings == []
        for log in (self.log, *(commit._log for commit in self.commits)):
            await log.drain()  # type: ignore[attr-defined]
        await self.databases.close()


def _events(number: int) -> tuple[EventData, ...]:
    return tuple(EventData(str(uuid4()), "Happened", 1, "{}") for _ in range(number))


async def test_concurrent_writers_against_the_model(fresh_database: FreshDatabase) -> None:
    ConcurrentWriters.dsn = await fresh_database.empty()
    few = settings(
        max_examples=25,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        database=None,
    )

    await asyncio.to_thread(run_state_machine_as_test, ConcurrentWriters, settings=few)
