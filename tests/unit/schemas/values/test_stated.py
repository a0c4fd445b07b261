"""Additions to JSON Schemas: they say the same as the validators."""

import re
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.partner_alliances.parts import Name, Note, TaxNumber
from schemas.values.stated import RULES, Stated
from schemas.values.text import Identifier

TEXTS = st.text(st.sampled_from("a\u00e9 \t\n\x0b\x1c\x1f\x7f\x85\xa0\u1680\u180e\u200b\u2028\u3000\ufeff"), max_size=5)


class Shown(BaseModel):
    plain: Annotated[str, Stated({"pattern": "^a"}, ("is no a",))]
    optional: Annotated[str | None, Stated({"format": "email"}, ("is one",)), Stated(rules=("is two",))] = None


def test_a_marked_type_may_be_one_of_several() -> None:
    assert TypeAdapter(Name | None).validate_python(None) is None


def test_keywords_concern_the_text_and_rules_are_collected() -> None:
    plain, optional = (Shown.model_json_schema()["properties"][name] for name in ("plain", "optional"))

    assert (plain["type"], plain["pattern"], plain[RULES]) == ("string", "^a", ["is no a"])
    assert [one.get("format") for one in optional["anyOf"]] == ["email", None]
    assert optional[RULES] == ["is one", "is two"]


def test_of_two_limits_of_a_length_the_narrower_one_is_stated() -> None:
    schema = TypeAdapter(
        Annotated[str, Stated({"minLength": 6, "maxLength": 200}), Stated({"minLength": 1, "maxLength": 90})]
    ).json_schema()

    assert (schema["minLength"], schema["maxLength"]) == (6, 90)


@pytest.mark.parametrize("type_", [Identifier, Name, Note, TaxNumber], ids=["Identifier", "Name", "Note", "TaxNumber"])
@given(text=TEXTS)
@example(text="")
@example(text=" a\n")
@example(text="a\n")
@example(text="\ufeff")
def test_a_pattern_allows_what_the_validator_accepts(type_: type[str], text: str) -> None:
    adapter = TypeAdapter(type_)
    schema = adapter.json_schema()
    stated = re.search(schema["pattern"].replace("$", r"\Z"), text) is not None and len(text) >= schema.get("minLength", 0)
    try:
        adapter.validate_python(text)
        accepted = True
    except ValidationError:
        accepted = False

    assert stated == accepted
