"""Data services: provided and taken back once, started with an expert, and finished."""

from typing import Any
from uuid import UUID

import pytest

from aggregates.health_subscriptions.data_services import DECISIONS
from aggregates.scenario import FIRST_ID, Scenario
from schemas.health_subscriptions.data_services import (
    EXISTS,
    NO_DATA_SERVICE,
    NO_EXPERT,
    WRONG_STATE,
    AssignExpert,
    Cloud,
    CreateDataService,
    DataServiceChangeRejected,
    DataServiceCreated,
    DataServiceFinished,
    DataServiceStarted,
    Dataset,
    Expert,
    ExpertAssigned,
    FinishDataService,
    InfrastructureCreated,
    InfrastructureNotCreated,
    InfrastructureRemoved,
    RecordProvisioning,
    RecordRemoval,
    StartDataService,
)
from schemas.health_subscriptions.parts import Plan, data_service_id_of
from schemas.message import Command, Event

SUBSCRIPTION = UUID(int=7)
ID = data_service_id_of(SUBSCRIPTION)
IDS: dict[str, Any] = {"data_service_id": ID, "subscription_id": SUBSCRIPTION}
LOCAL = Cloud(code="local")
CREATED = DataServiceCreated(
    **IDS,
    subscription_code=str(SUBSCRIPTION),
    customer_code="0001",
    plan=Plan(code="pro"),
    cloud=LOCAL,
    dataset=Dataset(),
    external_id=None,
)
EXPERT = Expert(code="e1", first_names="Eva", last_names=None, username=None, national_id=None, email=None)
ASSIGNED = ExpertAssigned(**IDS, expert=EXPERT)
STARTED, FINISHED = DataServiceStarted(**IDS), DataServiceFinished(**IDS, reason="done")
REMOVED = InfrastructureRemoved(**IDS, reason="")
PROVIDED = RecordProvisioning(subscription_id=SUBSCRIPTION, customer_code="0001", plan_code="pro", cloud=LOCAL)
NOT_PROVIDED = PROVIDED.model_copy(update={"cloud": None, "problem": "no room"})


def scenario(*events: Event) -> Scenario:
    made = Scenario(DECISIONS)
    return made.given(f"dataservice-{ID}", *events) if events else made


def rejected(operation: str, reason: str, *, exists: bool = True) -> DataServiceChangeRejected:
    of = SUBSCRIPTION if exists else None
    return DataServiceChangeRejected(data_service_id=ID, subscription_id=of, operation=operation, reason=reason)


def test_infrastructure_is_provided_once_or_recorded_as_missing() -> None:
    scenario().when(PROVIDED).then(CREATED, InfrastructureCreated(**IDS))
    scenario().when(NOT_PROVIDED).then(InfrastructureNotCreated(**IDS, reason="no room"))


@pytest.mark.parametrize("events", [(CREATED,), (CREATED, ASSIGNED, STARTED, FINISHED), (CREATED, REMOVED)])
def test_a_service_that_exists_already_is_not_provided_again_and_is_none_of_a_saga(events: tuple[Event, ...]) -> None:
    for command in (PROVIDED, NOT_PROVIDED):
        scenario(*events).when(command).then(InfrastructureNotCreated(**IDS, reason=EXISTS))
        of_saga = command.model_copy(update={"is_of_saga": True})
        scenario(*events).when(of_saga).then_rejected(containing=EXISTS)


def test_it_is_taken_back_once() -> None:
    remove = RecordRemoval(subscription_id=SUBSCRIPTION)

    scenario(CREATED).when(remove).then(REMOVED)
    scenario(CREATED, REMOVED).when(remove).then()
    scenario(CREATED, ASSIGNED, STARTED, FINISHED).when(remove).then()
    scenario().when(remove).then()


def test_a_service_of_its_own_may_have_its_expert_at_once() -> None:
    create = CreateDataService(customer_code="0001", external_id="123")
    created = DataServiceCreated(
        data_service_id=FIRST_ID,
        subscription_id=None,
        subscription_code="",
        customer_code="0001",
        plan=Plan(),
        cloud=Cloud(),
        dataset=Dataset(),
        external_id="123",
    )

    scenario().when(create).then(created)
    scenario().when(create.model_copy(update={"expert_code": "e1", "first_names": "Eva"})).then(
        created.model_copy(update={"expert_code": "e1"}),
        ExpertAssigned(data_service_id=FIRST_ID, subscription_id=None, expert=EXPERT),
    )


def test_it_is_started_with_an_expert_and_finished() -> None:
    assign = AssignExpert(data_service_id=ID, code="e1", first_names="Eva")
    start, finish = StartDataService(data_service_id=ID), FinishDataService(data_service_id=ID, reason="done")

    scenario(CREATED).when(assign).then(ASSIGNED)
    scenario(CREATED, ASSIGNED, STARTED).when(assign).then(ASSIGNED)
    scenario(CREATED, ASSIGNED).when(start).then(STARTED)
    scenario(CREATED, ASSIGNED, STARTED).when(finish).then(FINISHED)
    scenario(CREATED).when(start).then(rejected("start", NO_EXPERT))


@pytest.mark.parametrize(
    ("command", "operation", "wrong"),
    [
        (AssignExpert(data_service_id=ID, code="e1"), "assign-expert", (CREATED, ASSIGNED, STARTED, FINISHED)),
        (StartDataService(data_service_id=ID), "start", (CREATED, ASSIGNED, STARTED)),
        (FinishDataService(data_service_id=ID), "finish", (CREATED, ASSIGNED)),
    ],
)
def test_a_change_that_is_not_possible_is_recorded(command: Command, operation: str, wrong: tuple[Event, ...]) -> None:
    scenario().when(command).then(rejected(operation, NO_DATA_SERVICE, exists=False))
    scenario(CREATED, REMOVED).when(command).then(rejected(operation, NO_DATA_SERVICE))
    scenario(*wrong).when(command).then(rejected(operation, WRONG_STATE))
