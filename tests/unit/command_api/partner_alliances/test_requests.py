"""The parts of clients' requests: unknown fields and ids that are none."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from command_api.partner_alliances.requests import Cuerpo, id_in
from schemas.errors import NotFound

ID = "4f2c1f5e-8a55-4c1e-9f0a-3a54a3d1c001"


def test_an_id_in_a_path_is_read() -> None:
    assert id_in({"id": ID}, "partner") == UUID(ID)


@pytest.mark.parametrize("text", ["abc", "", "42", f"{ID}0"])
def test_nothing_has_an_id_that_is_none(text: str) -> None:
    with pytest.raises(NotFound, match=f"there is no partner '{text}'"):
        id_in({"id": text}, "partner")


def test_a_body_has_no_field_but_its_own() -> None:
    with pytest.raises(ValidationError):
        Cuerpo.model_validate({"otro": 1})
