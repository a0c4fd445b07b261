"""Recorded shapes: which change of an event's class the events of the past survive."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, create_model

from deploy.schemas.check import is_document
from deploy.schemas.compatibility import incompatibilities
from deploy.schemas.samples import sample
from deploy.schemas.shapes import problems, record, shape_of
from schemas.catalog import Catalog
from schemas.data_ingestion import SYSTEM
from schemas.message import Event
from schemas.system import Context, ContextName, System
from schemas.upcasting import Upcaster

NAME = ContextName("shop", "orders")


class Item(BaseModel):
    name: str


class Priced(Item):
    price: int


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Fewer(StrEnum):
    RED = "red"


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = ""


class Tree(BaseModel):
    children: list["Tree"] = []


def schema(**fields: Any) -> dict[str, Any]:
    return shape_of(create_model("Made", __base__=Event, **fields))


SURVIVED = [
    ({"a": str}, {"a": str}),
    ({"a": str}, {"a": str, "b": (int, 1)}),
    ({"a": str}, {"a": (str, "x")}),
    ({"a": int}, {"a": float}),
    ({"a": int}, {"a": int | None}),
    ({"a": int}, {"a": int | str}),
    ({"a": Literal["x"]}, {"a": Literal["x", "y"]}),
    ({"a": Literal["x"]}, {"a": str}),
    ({"a": Annotated[str, Field(max_length=5)]}, {"a": Annotated[str, Field(max_length=9)]}),
    ({"a": Annotated[int, Field(ge=5)]}, {"a": Annotated[int, Field(ge=1)]}),
    ({"a": UUID}, {"a": str}),
    ({"a": dict[str, int]}, {"a": dict[str, JsonValue]}),
    ({"a": list[Item]}, {"a": list[Item | None]}),
    ({"a": Item}, {"a": JsonValue}),
    ({"a": Tree}, {"a": Tree}),
    ({"a": tuple[Item, int]}, {"a": tuple[Item, float]}),
    ({"a": tuple[int, int]}, {"a": list[int]}),
    ({"a": dict[Colour, int]}, {"a": dict[Colour, int]}),
    ({"a": dict[Colour, int]}, {"a": dict[str, int]}),
]
NOT_SURVIVED = [
    ({"a": str}, {}, ".a is gone"),
    ({"a": str}, {"b": (str, "x")}, ".a is gone"),
    ({"a": str}, {"a": str, "b": int}, ".b is required now"),
    ({"a": (str, "x")}, {"a": str}, ".a is required now"),
    ({"a": float}, {"a": int}, ".a: was number, is integer"),
    ({"a": str}, {"a": UUID}, ".a: format"),
    ({"a": int | None}, {"a": int}, ".a: was null, is integer"),
    ({"a": Literal["x", "y"]}, {"a": Literal["x"]}, "'y' is not accepted any more"),
    ({"a": str}, {"a": Literal["x"]}, "anything else is not accepted"),
    ({"a": str}, {"a": Annotated[str, Field(max_length=5)]}, "maxLength is 5, was not there"),
    ({"a": Annotated[int, Field(ge=1)]}, {"a": Annotated[int, Field(ge=5)]}, "minimum is 5, was 1"),
    ({"a": dict[str, JsonValue]}, {"a": dict[str, int]}, r".a.\*: was anything, is integer"),
    ({"a": dict[str, int]}, {"a": Item}, ".a"),
    ({"a": list[str]}, {"a": list[int]}, r".a\[\]: was string, is integer"),
    ({"a": JsonValue}, {"a": str}, ".a: was anything, is string"),
    ({"a": list[Item | str]}, {"a": list[Item]}, r".a\[\]"),
    ({"a": list[int] | str}, {"a": Annotated[list[int] | str, Field(max_length=9)]}, "maxLength beside a choice"),
    ({"a": dict[str, int]}, {"a": Open}, ".a.name: was integer, is string"),
    ({"a": tuple[Item, Item]}, {"a": tuple[Item, Priced]}, r".a\[1\].price is required now"),
    ({"a": tuple[int, int]}, {"a": tuple[int]}, "maxItems is 1, was 2"),
    ({"a": list[int]}, {"a": tuple[int, int]}, ".a: minItems"),
    ({"a": list[Item]}, {"a": list[Priced]}, r".a\[\].price is required now"),
    ({"a": dict[Colour, int]}, {"a": dict[Fewer, int]}, "names: 'blue' is not accepted any more"),
    ({"a": dict[str, int]}, {"a": dict[Colour, int]}, "names: anything else is not accepted any more"),
]


@pytest.mark.parametrize(("recorded", "today"), SURVIVED)
def test_old_events_survive_what_only_accepts_more(recorded: dict[str, Any], today: dict[str, Any]) -> None:
    assert incompatibilities(schema(**today), schema(**recorded)) == []


@pytest.mark.parametrize(("recorded", "today", "why"), NOT_SURVIVED)
def test_old_events_do_not_survive_what_accepts_less(recorded: dict[str, Any], today: dict[str, Any], why: str) -> None:
    found = incompatibilities(schema(**today), schema(**recorded))

    assert any(re.search(why, one) for one in found), found


@pytest.mark.parametrize(("recorded", "today"), [*SURVIVED, *((before, now) for before, now, _ in NOT_SURVIVED)])
@pytest.mark.parametrize("full", [False, True])
def test_a_sample_is_a_document_of_its_schema(recorded: dict[str, Any], today: dict[str, Any], full: bool) -> None:
    for fields in (recorded, today):
        model = create_model("Made", __base__=Event, **fields)

        TypeAdapter(model).validate_json(json.dumps(sample(model.model_json_schema(), full=full)))


class Placed(Event):
    amount: int


class PlacedLater(Event, name="Placed", schema_version=2):
    cents: int


def found(folder: Path, event: type[Event], *upcasters: Upcaster) -> list[str]:
    context = Context("orders", events=(event,), upcasters=upcasters)
    return list(problems(folder, NAME, context, Catalog.of([System("shop", (context,))]), is_document))


def test_a_change_without_a_new_version_is_found(tmp_path: Path) -> None:
    class Changed(Event, name="Placed"):
        cents: int

    assert "is not recorded" in found(tmp_path, Placed)[0]
    assert len(list(record(tmp_path, NAME, Context("orders", events=(Placed,))))) == 1
    assert found(tmp_path, Placed) == []

    assert any(".amount is gone; raise schema_version" in one for one in found(tmp_path, Changed))
    assert list(record(tmp_path, NAME, Context("orders", events=(Changed,)))) == []


def test_a_wider_shape_takes_the_place_of_the_recorded_one(tmp_path: Path) -> None:
    class Wider(Event, name="Placed"):
        amount: int
        note: str = ""

    list(record(tmp_path, NAME, Context("orders", events=(Placed,))))

    assert found(tmp_path, Wider) == []
    assert len(list(record(tmp_path, NAME, Context("orders", events=(Wider,))))) == 1
    assert any(".note is gone" in one for one in found(tmp_path, Placed))


def test_earlier_versions_are_tried_on_their_upcasters(tmp_path: Path) -> None:
    list(record(tmp_path, NAME, Context("orders", events=(Placed,))))
    list(record(tmp_path, NAME, Context("orders", events=(PlacedLater,))))

    assert found(tmp_path, PlacedLater, Upcaster("Placed", 1, lambda data: {"cents": data["amount"] * 100})) == []
    assert "could not be read" in found(tmp_path, PlacedLater, Upcaster("Placed", 1, lambda data: data))[0]


def test_a_validator_that_no_schema_shows_is_found_by_reading_a_sample(tmp_path: Path) -> None:
    class Paid(Event):
        amount: int

    class PaidOddly(Event, name="Paid"):
        amount: Annotated[int, AfterValidator(_never)]

    list(record(tmp_path, NAME, Context("orders", events=(Paid,))))

    assert found(tmp_path, Paid) == []
    assert "could not be read" in found(tmp_path, PaidOddly)[0]


def test_an_event_without_a_sample_is_checked_by_its_shape(tmp_path: Path) -> None:
    class Coded(Event):
        currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]

    list(record(tmp_path, NAME, Context("orders", events=(Coded,))))

    assert found(tmp_path, Coded) == []


def test_going_back_a_version_and_a_lost_shape_are_found(tmp_path: Path) -> None:
    list(record(tmp_path, NAME, Context("orders", events=(PlacedLater,))))
    step = Upcaster("Placed", 1, lambda data: {"cents": data["amount"] * 100})

    assert found(tmp_path, PlacedLater, step) == [
        "Placed of shop.orders, schema version 1, is not recorded: run `caudal schemas record`"
    ]
    list(record(tmp_path, NAME, Context("orders", events=(Placed,))))
    assert found(tmp_path, Placed) == ["the log of shop.orders may hold schema version 2 of Placed, the installed class has 1"]


def _never(value: int) -> int:
    raise ValueError("never")


def test_an_event_that_no_class_reads_any_more_is_found(tmp_path: Path) -> None:
    class Cancelled(Event):
        pass

    list(record(tmp_path, NAME, Context("orders", events=(Placed, Cancelled))))

    (problem,) = found(tmp_path, Placed)
    assert problem.startswith("the log of shop.orders may hold Cancelled, which no installed class reads: ")


def test_every_event_of_data_ingestion_is_recorded() -> None:
    folder = Path(__file__).parents[4] / "schemas" / "data_ingestion" / "shapes"
    catalog = Catalog.of([SYSTEM])

    assert [
        one for name, context in catalog.contexts.items() for one in problems(folder, name, context, catalog, is_document)
    ] == []


class Wrapped(Event):
    box: int


class Packed(Event, renamed_from=("Wrapped",)):
    box: int


class PackedTwice(Event, name="Packed", renamed_from=("Wrapped",)):
    box: int
    again: bool


class Unwrapped(Event, retired=True):
    box: int


def problems_of(folder: Path, *events: type[Event]) -> list[str]:
    name, context = ContextName("shop", "shelf"), Context("shelf", events=events)
    return list(problems(folder, name, context, Catalog.of([System("shop", (context,))]), is_document))


def test_a_renamed_event_must_read_what_was_recorded_under_its_old_name(tmp_path: Path) -> None:
    name = ContextName("shop", "shelf")
    list(record(tmp_path, name, Context("shelf", events=(Wrapped,))))

    assert "Wrapped, which no installed class reads: name it in renamed_from" in problems_of(tmp_path)[0]
    assert problems_of(tmp_path, Packed) == []
    assert list(record(tmp_path, name, Context("shelf", events=(Packed,)))) == []
    assert "again is required now" in problems_of(tmp_path, PackedTwice)[0]


def test_a_retired_event_is_still_checked(tmp_path: Path) -> None:
    list(record(tmp_path, ContextName("shop", "shelf"), Context("shelf", events=(Unwrapped,))))

    assert problems_of(tmp_path, Unwrapped) == []
    assert "keep the class of an event that is not recorded any more, with retired=True" in problems_of(tmp_path)[0]
