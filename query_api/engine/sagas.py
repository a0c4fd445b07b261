"""The engine's own queries: sagas and their log, in the words of each saga's system."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.queries.saga_labels import ENGLISH, SagaLabels
from query_api.views.paging import Row
from schemas.catalog import ENGINE, ContextName
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.engine.sagas import CONTEXT, Status, StepStatus, stream_of


class ShownSaga(BaseModel):
    """A saga: every field of its view, and its status in the words of its system."""

    model_config = ConfigDict(extra="allow")

    saga_id: str
    saga: str | None
    status: Status
    label: str = Field(description="The status in the words of the saga's system.")
    state: dict[str, JsonValue] | None


class ShownEntry(BaseModel):
    """An input of a saga: every field of its view, and what became of it in the words of the saga's system."""

    model_config = ConfigDict(extra="allow")

    entry_id: str
    saga_id: str | None
    kind: str
    step_status: StepStatus
    step_label: str = Field(description="The status of the step in the words of the saga's system.")
    saga_status: Status | None
    saga_label: str | None = Field(description="The saga's status after it, in the same words.")
    problem: str | None


class SagaTimeline(ShownSaga):
    """A saga with the entries of its log."""

    timeline: list[ShownEntry]


async def sagas(context: QueryContext) -> Answer:
    """Returns a page of sagas."""
    page = await context.views.page(context.request, Sagas)
    return context.page(page, [shown_saga(context.saga_labels, row) for row in page.rows])


async def logs(context: QueryContext) -> Answer:
    """Returns a page of the log of all sagas."""
    page = await context.views.page(context.request, SagaLogs)
    return context.page(page, [shown_entry(context.saga_labels, row) for row in page.rows])


async def saga(context: QueryContext) -> Answer:
    """Returns a saga with its timeline: the entries that the caller may read, oldest first, up to the saga's newest step."""
    saga_id = context.path_parameter("saga_id")
    row = await context.views.row(context.request, Sagas, saga_id)
    newest = context.views.token(ContextName(ENGINE, CONTEXT), stream_of(saga_id), row["position"])
    order = ("saga_id", saga_id), ("sort", "step")
    timeline = await context.views.all_rows(context.request, SagaLogs, newest, *order)
    labels = context.saga_labels
    return Answer({**shown_saga(labels, row), "timeline": [shown_entry(labels, entry) for entry in timeline]})


def shown_saga(labels: Mapping[str, SagaLabels], row: Row) -> Row:
    """Returns a row of the view of sagas with the label of its status."""
    return {**row, "label": _labels_of(labels, row).status(row["status"])}


def shown_entry(labels: Mapping[str, SagaLabels], row: Row) -> Row:
    """Returns a row of the log of sagas with the labels of its step's status and its saga's."""
    own = _labels_of(labels, row)
    return {**row, "step_label": own.step(row["step_status"]), "saga_label": own.status(row["saga_status"])}


def _labels_of(labels: Mapping[str, SagaLabels], row: Row) -> SagaLabels:
    """Returns the labels of the system whose saga a row is about; a saga's name begins with its system's."""
    return labels.get(str(row["saga"]).partition(".")[0], ENGLISH)


QUERIES = (
    Query("/saga/logs", SagaLogs, "The log of all sagas: each input with its result.", shape=ShownEntry, handler=logs),
    Query("/sagas", Sagas, "All sagas with their status, a page at a time.", shape=ShownSaga, handler=sagas),
    Query(
        "/sagas/{saga_id}",
        Sagas,
        "One saga: its status, its state and its timeline.",
        key="saga_id",
        shape=SagaTimeline,
        handler=saga,
    ),
)
