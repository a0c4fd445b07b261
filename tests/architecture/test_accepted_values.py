"""Every value of every command is rejected where it comes in, or can be stored, folded, projected, published and shown."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.clinical_lab.notifications import RequestNotification
from schemas.clinical_lab.results import RecordResult
from schemas.clinical_lab.users import CreateUser
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.validation import RegisterSchema
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Rejected
from schemas.flight_reservations.customers import RegisterCustomer
from schemas.flight_reservations.parts import Airport, Itinerary, Journey, Leg, Segment
from schemas.flight_reservations.reservations import CreateReservation
from schemas.health_subscriptions.data_services import CreateDataService
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.health_subscriptions.parts import Plan
from schemas.health_subscriptions.subscriptions import CreateSubscription, StartSubscription
from schemas.medical_datasets.anonymisation import StartAnonymisation
from schemas.medical_datasets.parts import Packet
from schemas.medical_datasets.processing import CreateDataset
from schemas.message import Command
from schemas.partner_alliances.compliance import PublishSanctionList
from schemas.partner_alliances.integrations import CreateProgram, RequestPartner
from schemas.partner_alliances.partners import AddIntegration, RegisterPartner
from schemas.partner_alliances.parts import partner_id_of
from streams.discovery import installed_catalog
from tests.hostile import EDGES, NOBODY, documents, edge_documents
from tests.world import Parts, World

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
IDS = UUID(NOBODY)
SYSTEMS = (
    "clinical_lab",
    "data_ingestion",
    "flight_reservations",
    "health_subscriptions",
    "medical_datasets",
    "partner_alliances",
)
COMMANDS = [(system, command) for system in SYSTEMS for _, command in installed_catalog([system]).commands()]
EXAMPLES = 60
REJECTIONS = {"invalid", "malformed", "rejected", "already_exists", "not_found", "conflict"}
"""Kinds of errors that clients get for what they send."""

REGISTERED = partner_id_of(uuid5(IDS, "3"))
"""The partner that the fourth command registers."""
SUBSCRIBER: dict[str, Any] = {
    **dict.fromkeys(("customer_code", "first_names", "last_names", "username", "tax_id", "national_id"), "0001"),
    "email": "pperez@example.org",
}
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LEG = Leg(departs_at=NOON, arrives_at=NOON, origin=Airport(code="BOG"), destination=Airport(code="JFK"))
FLIGHT = Itinerary(journeys=(Journey(segments=(Segment(legs=(LEG,)),)),))
SEEDS: Mapping[str, Sequence[Command]] = {
    "clinical_lab": (
        CreateUser(username="ana", password="password2"),
        RecordResult(patient="Ana", patient_username="ana", result="x"),
        RequestNotification(kind="welcome", cause="user-x", recipients=("x",), about=""),
    ),
    "data_ingestion": (
        RegisterSchema(partner_id="acme", json_schema={"required": ["a"]}),
        ReceiveData(partner_id="acme", payload={"a": 1}),
    ),
    "flight_reservations": (
        CreateReservation(itineraries=(FLIGHT,)),
        RegisterCustomer(kind="person", first_names="Eva", email="eva@example.org"),
    ),
    "health_subscriptions": (
        StartSubscription(**SUBSCRIBER, plan=Plan(code="pro")),
        CreateSubscription(**SUBSCRIBER, plan=Plan(code="free")),
        CreateDataService(customer_code="0001", expert_code="e1", first_names="Eva"),
        ReceiveEvent(text="x"),
    ),
    "medical_datasets": (
        CreateDataset(packet_id="p-1", packet=Packet()),
        StartAnonymisation(record_id=None, name=None, address=None, phone=None, image_url=None, packet=Packet()),
    ),
    "partner_alliances": (
        PublishSanctionList(names=["Evil Corp"]),
        RequestPartner.model_validate(
            {
                "profile": {"name": "Partner", "type": "STARTUP", "tax_id": {"country": "ES", "number": "B58378431"}},
                "iban": "ES9121000418450200051332",
                "ends_on": "9999-12-31",
            }
        ),
        CreateProgram(name="Programme"),
        RegisterPartner(name="Jose", email="jose@example.org", phone="1", address="cra 7"),
        AddIntegration(partner_id=REGISTERED, type="API", name="Ads", configuration="{}"),
    ),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr("command_api.handling.passwords.Passwords.hashed", _hashed)
        yield runner


async def _hashed(_: object, password: str, command_id: UUID) -> str:
    return f"hash of {len(password.encode())} bytes"


async def _seeded(system: str) -> World:
    world = World(Parts(system))
    for n, command in enumerate(SEEDS[system]):
        await world.handle(CommandEnvelope(data=command, id=uuid5(IDS, str(n)), at=NOW, correlation_id="c", actor="dr"))
    return world


@pytest.fixture(scope="module")
def worlds(runner: asyncio.Runner) -> Mapping[str, World]:
    return {system: runner.run(_seeded(system)) for system in SYSTEMS}


@pytest.mark.parametrize(
    ("system", "command"), COMMANDS, ids=[f"{system}-{command.message_name}" for system, command in COMMANDS]
)
def test_what_is_accepted_can_be_stored_projected_published_and_shown(
    system: str, command: type[Command], runner: asyncio.Runner, worlds: Mapping[str, World]
) -> None:
    times = st.sampled_from([NOW, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(document=documents(command, worlds[system].keys), at=times)
    def accepts_or_rejects(document: Any, at: datetime) -> None:
        runner.run(handle(worlds[system].copy(), document, command, at))

    accepts_or_rejects()


@pytest.mark.parametrize(
    ("system", "command"), COMMANDS, ids=[f"{system}-{command.message_name}" for system, command in COMMANDS]
)
def test_each_edge_at_each_place_is_accepted_by_every_part_or_rejected(
    system: str, command: type[Command], runner: asyncio.Runner, worlds: Mapping[str, World]
) -> None:
    ordinary, *edges = edge_documents(command, worlds[system].keys)
    command.model_validate(ordinary)  # else another fault than that of the edge could reject a document

    for document in (ordinary, *edges):
        runner.run(handle(worlds[system].copy(), document, command, NOW))

    assert len(edges) >= len(EDGES)


async def handle(world: World, document: Any, command: type[Command], at: datetime) -> None:
    """Handles a document: it is rejected before anything is recorded, or goes through every part."""
    recorded = sum(len(log._rows) for log in world.logs.values())
    try:
        await world.receive(json.dumps(document).encode(), command, uuid5(IDS, "it"), at, "dr")
        await world.fire_timers()
    except CaudalError as error:
        assert error.kind in REJECTIONS or isinstance(error, Rejected), f"{document}: {error.detail}"
        assert sum(len(log._rows) for log in world.logs.values()) == recorded
