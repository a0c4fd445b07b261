"""The OpenAPI document of the command API: every command and every own path, and nothing internal."""

import re
from typing import Any

from pydantic import BaseModel

from command_api.http.openapi import describe
from command_api.http.paths import KEY, AcceptedCommandPath, CommandPath, QuestionPath, Translation
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.clients.dialect import Dialect
from schemas.errors import Rejected
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


class Aviso(BaseModel):
    aviso: str


async def answered(*_: Any) -> Puerta:
    return Puerta(puerta="a")


class DoorIsLocked(Rejected):
    """The door is locked."""

    kind = "door_locked"


CATALOG = Catalog.of([System("house", (Context("doors", commands=(Open, Close, Creak), rejections=(DoorIsLocked,)),))])
PATHS = (
    CommandPath(
        "/puertas/{puerta}/abierta", Open, {"id": KEY}, "PUT", Translation(Puerta, lambda body, _: Open(door=body.puerta))
    ),
    CommandPath("/puertas/{puerta}/abierta", Close, {"id": KEY}, "DELETE"),
    QuestionPath("/puertas/estado", Puerta, answered, Puerta, "Says whether a door is open."),
    CommandPath(
        "/puertas/{puerta}",
        Close,
        {},
        "DELETE",
        Translation(None, lambda _, path: Close(door=path["puerta"])),
        status=202,
        errors=Dialect(Aviso, lambda text, _: Aviso(aviso=text), statuses={"invalid": 400}),
    ),
)
DOCUMENT = describe(CATALOG, {"house": PATHS})


def test_every_command_has_its_path_and_the_internal_ones_have_none() -> None:
    assert sorted(DOCUMENT["paths"]) == [
        "/commands/house/close",
        "/commands/house/open",
        "/puertas/estado",
        "/puertas/{puerta}",
        "/puertas/{puerta}/abierta",
    ]


def test_a_path_of_its_own_has_its_status_its_body_and_its_errors() -> None:
    operation = DOCUMENT["paths"]["/puertas/{puerta}"]["delete"]
    responses = operation["responses"]

    assert "requestBody" not in operation
    assert {status for status in responses if status < "300"} == {"202"}
    assert set(responses["409"]["content"]) == {"application/json", "application/problem+json"}
    assert responses["404"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Aviso"}
    assert "urn:caudal:problem:invalid" in responses["400"]["description"], "as the clients know it"
    assert "urn:caudal:problem:invalid" in responses["422"]["description"], "as a problem document"
    assert set(responses["431"]["content"]) == {"application/problem+json"}, "the server answers before any path does"


def test_a_command_that_is_only_accepted_says_where_its_outcome_is() -> None:
    paths = (AcceptedCommandPath("/puertas/{puerta}/cierre", Close, {"id": KEY}, location="/puertas/{key}"),)

    operation = describe(CATALOG, {"house": paths})["paths"]["/puertas/{puerta}/cierre"]["post"]

    responses, headers = operation["responses"], [one["name"] for one in operation["parameters"] if one["in"] == "header"]
    assert {status for status in responses if status < "300"} == {"202"}
    assert set(responses["202"]["headers"]) == {"Command-Id", "Location", "Idempotent-Replayed"}
    assert "`/puertas/{key}`" in responses["202"]["headers"]["Location"]["description"]
    assert responses["202"]["content"]["application/json"]["schema"]["required"] == ["id"]
    assert {"If-Match", "If-None-Match"}.isdisjoint(headers)
    assert {"Idempotency-Key", "X-Command-Id", "X-Actor"} <= set(headers)
    assert list(operation["requestBody"]["content"]) == ["application/json"], "there are no batches"
    assert {"409", "412", "428"}.isdisjoint(responses)
    assert {"400", "401", "413", "422", "429", "503"} <= responses.keys()
    assert operation["security"] == [{"token": ["doors", "guard"]}]


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


def test_headers_of_commands_say_what_they_may_hold() -> None:
    operation = DOCUMENT["paths"]["/commands/house/open"]["post"]
    headers = {one["name"]: one["schema"] for one in operation["parameters"]}

    assert headers["If-None-Match"]["enum"] == ["*"]
    assert headers["X-Command-Id"]["format"] == "uuid"
    matching = [tag for tag in ('"3"', 'W/"3"', "*", "3", '"a"', '"1", "2"') if re.search(headers["If-Match"]["pattern"], tag)]
    assert matching == ['"3"', 'W/"3"', "*"]
    assert "If-None-Match comes without If-Match" in operation["x-rules"]
    assert "contains the character NUL" in DOCUMENT["info"]["x-rules"]


def test_a_batch_is_an_array_of_lines_with_their_commands() -> None:
    operation = DOCUMENT["paths"]["/commands/house/open"]["post"]

    line = operation["requestBody"]["content"]["application/x-ndjson"]["schema"]["items"]
    answer = operation["responses"]["200"]["content"]["application/x-ndjson"]["schema"]["items"]
    assert line["properties"]["command"]["$ref"].endswith("/Open")
    assert answer["$ref"].endswith("/BatchAnswer")
    assert "application/x-ndjson" not in operation["responses"]["201"]["content"]


def test_an_answer_with_the_key_of_a_stream_is_linked_with_the_paths_below() -> None:
    paths = (
        CommandPath("/puertas", Open, {"id": KEY}),
        CommandPath("/puertas/{puerta}", Close, {}, "PUT"),
        CommandPath("/puertas/{puerta}/abierta", Close, {}, "PUT"),
    )

    answer = describe(CATALOG, {"house": paths})["paths"]["/puertas"]["post"]["responses"]["201"]

    assert {name: link["parameters"] for name, link in answer["links"].items()} == {
        "house_close_puertas_puerta": {"puerta": "$response.body#/id"},
        "house_close_puertas_puerta_abierta": {"puerta": "$response.body#/id"},
    }
    assert answer["content"]["application/json"]["schema"]["required"] == ["id"]


def test_a_question_has_the_shapes_of_its_body_and_its_reply() -> None:
    question = DOCUMENT["paths"]["/puertas/estado"]["post"]

    assert question["summary"] == "Says whether a door is open."
    assert question["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Puerta")


def test_each_operation_states_the_rejections_that_are_its_contexts_own() -> None:
    paths = describe(CATALOG, {"house": PATHS})["paths"]
    stated = [
        one["responses"]["422"]["description"]
        for path, methods in paths.items()
        for one in methods.values()
        if path != "/puertas/estado"
    ]

    assert stated
    assert all("`urn:caudal:problem:door-locked`: The door is locked." in one for one in stated)
