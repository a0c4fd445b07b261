"""The catalog: every name of every installed system."""

import pytest

from schemas.catalog import Catalog, Context, ContextName, System
from schemas.consistency_token import ConsistencyToken
from schemas.data_ingestion import SYSTEM
from schemas.data_ingestion.ingestion import DataIngested, ReceiveData
from schemas.errors import Malformed, Misconfigured, NotFound

INGESTION = ContextName("data_ingestion", "ingestion")


def test_the_installed_systems_are_found() -> None:
    assert Catalog.installed().systems["data_ingestion"] is SYSTEM


def test_some_systems_are_chosen_and_the_engines_own_is_always_there() -> None:
    assert set(Catalog.installed(["clinical_lab"]).systems) == {"clinical_lab", "engine"}
    assert {name for name, _ in Catalog.installed(["clinical_lab"]).registered("caudal.command_api")} == {"clinical_lab"}
    with pytest.raises(Misconfigured, match="not installed: labs"):
        Catalog.installed(["clinical_lab", "labs"])


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


def test_a_name_cannot_be_declared_twice() -> None:
    twice = System("twice", (Context("a", commands=(ReceiveData,)), Context("b", commands=(ReceiveData,))))

    with pytest.raises(Misconfigured, match="'receive-data' is declared twice"):
        Catalog.of([twice])


@pytest.mark.parametrize("name", ["my-system", "Upper", "", "1st", "x" * 40, 'a"b'])
def test_a_name_must_be_one_that_every_store_can_use(name: str) -> None:
    with pytest.raises(Misconfigured, match="is no name"):
        Catalog.of([System(name, ())])


def test_a_forgotten_comma_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"the events of shop\.orders are no tuple"):
        Catalog.of([System("shop", (Context("orders", events=DataIngested),))])  # type: ignore[arg-type]


def test_an_entry_point_has_its_systems_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.catalog.registered", lambda *_: [("shop", SYSTEM)])

    with pytest.raises(Misconfigured, match="'shop' registers a system that calls itself 'data_ingestion'"):
        Catalog.installed()


def test_a_context_cannot_be_declared_twice() -> None:
    with pytest.raises(Misconfigured, match=r"'twice\.a' is declared twice"):
        Catalog.of([System("twice", (Context("a"), Context("a")))])


def test_a_token_reads_as_it_writes() -> None:
    token = ConsistencyToken(INGESTION, 3, 1234)

    assert str(token) == "data_ingestion.ingestion/3@1234"
    assert ConsistencyToken.parse(str(token)) == token


@pytest.mark.parametrize("text", ["", "x", "a.b/1", "a.b/1@x", "a.b/1@" + "9" * 30, "a.b/-1@2", "a.b/1@2\n"])
def test_a_strange_token_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        ConsistencyToken.parse(text)
