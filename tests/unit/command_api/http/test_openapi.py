"""The OpenAPI document of the command API: every command and every own path, and nothing internal."""

from typing import Any

from pydantic import BaseModel

from command_api.http.openapi import describe
from command_api.http.paths import KEY, CommandPath, QuestionPath, Translation
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.message import Command
from schemas.system import Context, System


class Open(Command):
    """Opens a door.

    Twice, it stays open.
    """

    door: str


class Close(Command, access=Access.to("guard", scopes=["doors"])):
    """Closes a door."""

    door: str


class Creak(Command, internal=True):
    """Only the engine sends it."""


class Puerta(BaseModel):
    puerta: str


async def answered(*_: Any) -> Puerta:
    return Puerta(puerta="a")


CATALOG = Catalog.of([System("house", (Context("doors", commands=(Open, Close, Creak)),))])
PATHS = (
    CommandPath(
        "/puertas/{puerta}/abierta", Open, {"id": KEY}, "PUT", Translation(Puerta, lambda body, _: Open(door=body.puerta))
    ),
    CommandPath("/puertas/{puerta}/abierta", Close, {"id": KEY}, "DELETE"),
    QuestionPath("/puertas/estado", Puerta, answered, Puerta, "Says whether a door is open."),
)
DOCUMENT = describe(CATALOG, {"house": PATHS})


def test_every_command_has_its_path_and_the_internal_ones_have_none() -> None:
    assert sorted(DOCUMENT["paths"]) == [
        "/commands/house/close", "/commands/house/open", "/puertas/estado", "/puertas/{puerta}/abierta",
    ]  # fmt: skip


def test_an_operation_says_what_it_does_who_may_and_in_which_formats() -> None:
    opened, closed = (DOCUMENT["paths"][f"/commands/house/{name}"]["post"] for name in ("open", "close"))

    assert (opened["summary"], opened["tags"]) == ("Opens a door.", ["house.doors"])
    assert list(opened["requestBody"]["content"]) == ["application/json", "application/x-ndjson"]
    assert "security" not in opened
    assert closed["security"] == [{"token": ["doors", "guard"]}]
    assert {"200", "201", "409", "422", "503"} <= opened["responses"].keys()


def test_methods_of_one_path_are_listed_together_with_its_parameters() -> None:
    own = DOCUMENT["paths"]["/puertas/{puerta}/abierta"]

    assert sorted(own) == ["delete", "put"]
    assert [one["name"] for one in own["put"]["parameters"] if one["in"] == "path"] == ["puerta"]
    assert list(own["put"]["requestBody"]["content"]) == ["application/json"], "a translated body is no batch"
    ids = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids)


def test_a_question_has_the_shapes_of_its_body_and_its_reply() -> None:
    question = DOCUMENT["paths"]["/puertas/estado"]["post"]

    assert question["summary"] == "Says whether a door is open."
    assert question["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Puerta")
