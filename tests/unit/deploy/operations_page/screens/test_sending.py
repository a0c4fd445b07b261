"""The form of a command: a field for each of its schema, and the command that a filled form has."""

from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from deploy.operations_page.screens.sending import body_of, fields_of
from schemas.errors import Invalid
from schemas.message import Command
from streams.discovery import installed_catalog


class Address(BaseModel):
    """The home of somebody."""

    city: str


class OrderCake(Command):
    """Orders a cake."""

    cake_id: UUID
    layers: int = Field(description="How many.")
    size: Literal["small", "large"]
    is_gift: bool = False
    note: str | None = None
    address: Address | None = None
    colours: list[str]


FIELDS = {field.name: field for field in fields_of(OrderCake)}


def test_each_field_has_an_input_of_its_kind() -> None:
    assert {name: field.kind for name, field in FIELDS.items()} == {
        "cake_id": "text",
        "layers": "number",
        "size": "choice",
        "is_gift": "truth",
        "note": "text",
        "address": "json",
        "colours": "json",
    }
    assert (FIELDS["size"].choices, FIELDS["layers"].description) == (["small", "large"], "How many.")
    assert {name for name, field in FIELDS.items() if field.is_required} == {"cake_id", "layers", "size", "colours"}
    assert (FIELDS["note"].value, UUID(FIELDS["cake_id"].value).version) == ("", 7)


def test_the_form_as_it_is_shown_is_a_command_for_every_installed_system() -> None:
    for home, command in installed_catalog().commands():
        fields = fields_of(command)
        body = body_of(fields, {field.name: [field.value] for field in fields})
        assert set(command.model_json_schema().get("required", ())) <= body.keys(), f"{home} {command.message_name}"


def test_a_form_that_is_filled_in_becomes_a_command() -> None:
    form = {"cake_id": [str(UUID(int=1))], "layers": ["3"], "size": ["large"], "is_gift": ["true"], "note": [""]}

    body = body_of(list(FIELDS.values()), {**form, "address": ['{"city": "Cali"}'], "colours": ['["red"]']})

    assert body == {
        "cake_id": str(UUID(int=1)),
        "layers": 3,
        "size": "large",
        "is_gift": True,
        "address": {"city": "Cali"},
        "colours": ["red"],
    }


@pytest.mark.parametrize(
    ("changed", "why"), [({"layers": [""]}, "layers is missing"), ({"colours": ["[red"]}, "colours is no JSON")]
)
def test_what_no_command_can_be_made_of_is_rejected_with_its_field(changed: dict[str, Any], why: str) -> None:
    form = {field.name: [field.value] for field in FIELDS.values()}

    with pytest.raises(Invalid, match=why):
        body_of(list(FIELDS.values()), {**form, **changed})
