"""A body has no members but those that it declares, and numbers of documents are texts."""

import pytest
from pydantic import ValidationError

from command_api.health_subscriptions.bodies.body import Cuerpo, Personal, as_text


class Documento(Cuerpo):
    numero: Personal


def test_the_number_of_a_document_is_a_text() -> None:
    assert Documento.model_validate({"numero": 123}).numero == "123"
    assert (as_text(True), as_text("x"), as_text(None)) == (True, "x", None)


def test_a_member_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Documento.model_validate({"numero": "1", "color": "rojo"})
