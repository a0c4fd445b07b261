"""The catalog: every name of every installed system."""

from datetime import UTC, datetime

import pytest

from schemas.catalog import Catalog
from schemas.data_ingestion import SYSTEM
from schemas.data_ingestion.ingestion import DataIngested, ReceiveData
from schemas.errors import Misconfigured, NotFound
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System

INGESTION = ContextName("data_ingestion", "ingestion")


def test_names_lead_to_classes_and_back() -> None:
    catalog = Catalog.of([SYSTEM])

    assert catalog.command("data_ingestion", "receive-data") == (INGESTION, ReceiveData)
    assert catalog.event(INGESTION, "DataIngested") is DataIngested
    assert catalog.context_of(DataIngested) == INGESTION


def test_unknown_names_are_rejected() -> None:
    catalog = Catalog.of([SYSTEM])

    with pytest.raises(NotFound, match="no command 'nothing'"):
        catalog.command("data_ingestion", "nothing")
    with pytest.raises(Misconfigured, match="the installed code does not know"):
        catalog.event(INGESTION, "Nothing")


def test_a_message_that_no_context_lists_is_named_in_one_way() -> None:
    class Renamed(Event):
        pass

    class Rename(Command):
        pass

    catalog = Catalog.of([SYSTEM])
    said = "Renamed is not among the events of any installed system: add it to the events of its Context"
    with pytest.raises(Misconfigured, match=said):
        catalog.context_of(Renamed)
    with pytest.raises(Misconfigured, match=said):
        catalog.check_recorded(Renamed, INGESTION)
    with pytest.raises(Misconfigured, match="Rename is not among the commands of any installed system: add it to the commands"):
        catalog.context_of(Rename)
    with pytest.raises(Misconfigured, match=r"DataIngested is not among the events of data_ingestion\.validation: add it to"):
        catalog.check_recorded(DataIngested, ContextName("data_ingestion", "validation"))


def test_a_name_cannot_be_declared_twice() -> None:
    twice = System("twice", (Context("a", commands=(ReceiveData,)), Context("b", commands=(ReceiveData,))))

    with pytest.raises(Misconfigured, match="'receive-data' is declared twice"):
        Catalog.of([twice])


class Packed(Event, renamed_from=("Wrapped", "Boxed")):
    box: int


def test_a_renamed_event_is_read_by_every_name_that_it_had() -> None:
    catalog, name = Catalog.of([System("shop", (Context("shelf", events=(Packed,)),))]), ContextName("shop", "shelf")

    assert {catalog.event(name, stored) for stored in ("Packed", "Wrapped", "Boxed")} == {Packed}
    assert catalog.event_types([Packed]) == {(name, "Packed"), (name, "Wrapped"), (name, "Boxed")}
    with pytest.raises(Misconfigured, match=r"holds 'Bagged'.*renamed_from=\('Bagged',\)"):
        catalog.event(name, "Bagged")


def test_an_unknown_name_suggests_a_known_one() -> None:
    catalog = Catalog.of([SYSTEM])

    for look_up, why in (
        (lambda: catalog.command("data_ingest", "receive-data"), "no system 'data_ingest'; did you mean 'data_ingestion'"),
        (lambda: catalog.command("data_ingestion", "recieve-data"), "did you mean 'receive-data'"),
        (lambda: catalog.view("data_ingestion", "rows"), "there are records"),
        (lambda: catalog.context(ContextName("nothing", "x")), "there are data_ingestion.ingestion"),
    ):
        with pytest.raises(NotFound, match=why):
            look_up()


def test_a_context_cannot_be_declared_twice() -> None:
    with pytest.raises(Misconfigured, match=r"'twice\.a' is declared twice"):
        Catalog.of([System("twice", (Context("a"), Context("a")))])


def test_every_name_of_an_event_leads_to_all_of_its_stored_names() -> None:
    catalog, name = Catalog.of([System("shop", (Context("shelf", events=(Packed,)),))]), ContextName("shop", "shelf")

    assert catalog.stored_types(name, ["Boxed"]) == catalog.stored_types(name, ["Packed"]) == ("Packed", "Wrapped", "Boxed")
    assert catalog.stored_types(name, []) == ()
    with pytest.raises(NotFound, match=r"shop\.shelf has no event 'Paked'; did you mean 'Packed'"):
        catalog.stored_types(name, ["Paked"])


def test_commands_of_the_engine_are_not_suggested() -> None:
    class Open(Command, internal=True):
        pass

    class Close(Command):
        pass

    catalog = Catalog.of([System("shop", (Context("door", commands=(Open, Close)),))])

    with pytest.raises(NotFound, match="there are close"):
        catalog.command("shop", "opn")


class Opened(Event):
    """An event with times."""

    at: datetime
    then: list[datetime] = []


def test_a_time_that_was_recorded_without_its_offset_is_read_as_utc() -> None:
    catalog = Catalog.of([System("shop", (Context("door", events=(Opened,)),))])

    read = catalog.read_event(ContextName("shop", "door"), "Opened", 1, '{"at":"2026-01-01T12:00:00","then":["2026-01-02"]}')

    assert read == Opened(at=datetime(2026, 1, 1, 12, tzinfo=UTC), then=[datetime(2026, 1, 2, tzinfo=UTC)])
