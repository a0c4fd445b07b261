"""The engine's own queries: sagas and their log, with labels in the words of each saga's system."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.queries.saga_labels import ENGLISH, SagaLabels
from query_api.views.paging import Row
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.engine.sagas import CONTEXT, InputKind, Status, StepStatus, stream_of
from schemas.system import ENGINE, ContextName


class LabelledSaga(BaseModel):
    """A saga with every field of its view, and a label for its status."""

    model_config = ConfigDict(extra="allow")

    saga_id: str
    saga: str | None = Field(description="Full name of its definition, such as `shop.checkout`.")
    status: Status
    label: str = Field(description="The status in the words of the saga's system.")
    reason: str | None
    state: dict[str, JsonValue] | None


class LabelledEntry(BaseModel):
    """An input of a saga with every field of its view, and labels for its statuses."""

    model_config = ConfigDict(extra="allow")

    saga_id: str | None
    kind: InputKind
    event_type: str | None = Field(description="The event, the command that has an outcome, or the timer.")
    outcome: Literal["accepted", "rejected"] | None = Field(
        description="What happened to the command of an input of kind `outcome`."
    )
    rejection: str | None = Field(description="Why the command was rejected.")
    step_status: StepStatus
    step_label: str = Field(description="The status of the step in the words of the saga's system.")
    saga_status: Status
    saga_label: str = Field(description="The status of the saga after it, in the same words.")
    problem: str | None
    sent: list[JsonValue] = Field(
        description="The commands that followed; `compensates` is the number of the command that one compensates."
    )


class SagaTimeline(LabelledSaga):
    """A saga with the entries of its log."""

    timeline: list[LabelledEntry]


async def sagas(context: QueryContext) -> Answer:
    """Returns a page of sagas."""
    page = await context.views.page(context.request, Sagas)
    return context.page(page, [labelled_saga(context.saga_labels, row) for row in page.rows])


async def logs(context: QueryContext) -> Answer:
    """Returns a page of the log of all sagas."""
    page = await context.views.page(context.request, SagaLogs)
    return context.page(page, [labelled_entry(context.saga_labels, row) for row in page.rows])


async def saga(context: QueryContext) -> Answer:
    """Returns a saga with its timeline: the entries that the caller may read, oldest first, up to the saga's newest step."""
    saga_id = context.path_parameter("saga_id")
    row = await context.views.row(context.request, Sagas, saga_id)
    newest = context.views.token(ContextName(ENGINE, CONTEXT), stream_of(saga_id), row["position"])
    order = ("saga_id", saga_id), ("sort", "step")
    timeline = await context.views.all_rows(context.request, SagaLogs, newest, *order)
    labels = context.saga_labels
    return Answer({**labelled_saga(labels, row), "timeline": [labelled_entry(labels, entry) for entry in timeline]})


def labelled_saga(labels: Mapping[str, SagaLabels], row: Row) -> Row:
    """Returns a row of the view of sagas with the label of its status."""
    return {**row, "label": _labels_of(labels, row).status(row["status"])}


def labelled_entry(labels: Mapping[str, SagaLabels], row: Row) -> Row:
    """Returns a row of the log of sagas with the labels of its statuses, and whether its command was accepted."""
    words = _labels_of(labels, row)
    outcome = None
    if row["kind"] == "outcome":
        outcome = "accepted" if row["rejection"] is None else "rejected"
    return {
        **row,
        "outcome": outcome,
        "step_label": words.step(row["step_status"]),
        "saga_label": words.status(row["saga_status"]),
    }


def _labels_of(labels: Mapping[str, SagaLabels], row: Row) -> SagaLabels:
    """Returns the labels of a saga's system, with whose name the full name of the saga begins."""
    return labels.get(str(row["saga"]).partition(".")[0], ENGLISH)


QUERIES = (
    Query("/saga/logs", SagaLogs, "The log of all sagas, an input an entry.", shape=LabelledEntry, handler=logs),
    Query("/sagas", Sagas, "All sagas with their status, a page at a time.", shape=LabelledSaga, handler=sagas),
    Query(
        "/sagas/{saga_id}",
        Sagas,
        "One saga: its status, its state and its timeline.",
        key="saga_id",
        shape=SagaTimeline,
        handler=saga,
    ),
)
