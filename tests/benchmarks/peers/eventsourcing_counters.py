"""The counters and the view of their totals, as an application of `eventsourcing` has them."""

from functools import singledispatchmethod
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.utils import get_topic
from psycopg.sql import SQL, Identifier


class Counter(Aggregate):
    """An aggregate that records one event of 256 bytes."""

    @event("Opened")
    def __init__(self, note: str) -> None:
        self.note = note


class Counters(Application):  # type: ignore[type-arg]
    """Its application."""


class TotalsTable(PostgresTrackingRecorder):
    """The view: a row for each counter, written with its tracking record in one transaction."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        table = {"schema": Identifier(self.datastore.schema), "table": Identifier("totals")}
        self.sql_create_statements.append(
            SQL(
                "create table if not exists {schema}.{table} (counter text primary key, total bigint, last_at timestamptz)"
            ).format(**table)
        )
        self.count_statement = SQL(
            "insert into {schema}.{table} as t values (%s, 1, %s)"
            " on conflict (counter) do update set total = t.total + 1, last_at = excluded.last_at"
        ).format(**table)

    def count(self, counter: str, at: object, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self.count_statement, (counter, at), prepare=True)


class Totals(Projection[TotalsTable]):
    """Counts."""

    topics = (get_topic(Counter.Opened),)  # type: ignore[attr-defined]

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.count(str(domain_event.originator_id), domain_event.timestamp, tracking)
