"""Sagas and their log in the words of their systems."""

from typing import Any

from starlette.requests import Request

from query_api.engine.sagas import labelled_entry, labelled_saga, logs, saga, sagas
from query_api.partner_alliances import SAGA_LABELS
from query_api.queries.context import QueryContext
from query_api.views.paging import Page, Row
from schemas.consistency_token import ConsistencyToken
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.system import ContextName
from schemas.view import View
from tests.unit.query_api.asking import request_of

LABELS = {"partner_alliances": SAGA_LABELS}


def saga_row(**fields: Any) -> Row:
    return Sagas.model_validate({"saga_id": "1", "saga": "partner_alliances.onboarding", **fields}).model_dump()


def entry(**fields: Any) -> Row:
    return SagaLogs.model_validate({"entry_id": "1/2", "saga": "partner_alliances.onboarding", **fields}).model_dump()


def test_a_status_has_the_label_of_the_sagas_system() -> None:
    assert labelled_saga(LABELS, saga_row(status="in_review"))["label"] == "PENDIENTE_REVISION"
    assert labelled_saga(LABELS, saga_row(status="in_review", saga="clinical_lab.result"))["label"] == "IN_REVIEW"


def test_an_entry_has_labels_for_the_step_and_for_the_saga_after_it() -> None:
    labelled = labelled_entry(LABELS, entry(step_status="handled", saga_status="compensating"))

    assert (labelled["step_label"], labelled["saga_label"]) == ("PROCESADO", "COMPENSANDO")


def test_an_outcome_says_whether_the_command_was_accepted_and_why_not() -> None:
    accepted, rejected = entry(kind="outcome"), entry(kind="outcome", rejection="no such product")

    assert labelled_entry(LABELS, accepted)["outcome"] == "accepted"
    assert labelled_entry(LABELS, rejected)["outcome"] == "rejected"
    assert labelled_entry(LABELS, rejected)["rejection"] == "no such product"
    assert labelled_entry(LABELS, entry(kind="timer"))["outcome"] is None


class Views:
    """One saga with two entries; they record for which write a read waits."""

    def __init__(self) -> None:
        self.seen: list[ConsistencyToken] = []

    async def row(self, request: Request, view: type[View], key: str) -> Row:
        return saga_row(position=9)

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str]) -> Page:
        return Page([saga_row() if view is Sagas else entry()], None)

    async def all_rows(self, request: Request, view: type[View], seen: ConsistencyToken, *fixed: tuple[str, str]) -> list[Row]:
        self.seen.append(seen)
        return [entry(step=1), entry(step=2)]

    def token(self, context: ContextName, stream: str, position: int) -> ConsistencyToken:
        assert stream == "saga-1"
        return ConsistencyToken(context, 0, position)


def asked(**path_parameters: str) -> QueryContext:
    request = request_of("/sagas")
    request.path_params.update(path_parameters)
    return QueryContext(request, Views(), None, LABELS, None, None)  # type: ignore[arg-type]


async def test_a_timeline_reaches_to_the_newest_step_of_the_saga() -> None:
    context = asked(saga_id="1")

    answer = await saga(context)

    assert answer.body["label"] == "INICIADA"
    assert [(one["step"], one["step_label"]) for one in answer.body["timeline"]] == [(1, "RECIBIDO"), (2, "RECIBIDO")]
    assert context.views.seen == [ConsistencyToken(ContextName("engine", "sagas"), 0, 9)]  # type: ignore[attr-defined]


async def test_pages_have_labels() -> None:
    assert [row["label"] for row in (await sagas(asked())).body] == ["INICIADA"]
    assert [row["step_label"] for row in (await logs(asked())).body] == ["RECIBIDO"]
