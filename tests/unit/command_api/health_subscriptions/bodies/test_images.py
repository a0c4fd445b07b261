"""The bodies about images: nothing of a patient is in their commands."""

import pytest
from pydantic import ValidationError

from command_api.health_subscriptions.bodies import images as bodies
from schemas.health_subscriptions.imaging import AnonymiseImage, FetchImage

IMAGE = {
    "id_imagen": "46769a88-181f-4468-8i34", "modalidad": "Rayos X", "patologia": "Neumonia", "region_anatomica": "Craneo",
    "formato_imagen": "DICOM", "fuente_de_datos": "Hospital", "antecedentes": "fumador", "id_paciente": "p1",
    "fecha_ingesta": "2024-02-29 10:00:00",
}  # fmt: skip


def test_nothing_of_the_patient_is_in_the_command_of_an_image() -> None:
    command = bodies.anonymise(bodies.ImagenCompleta.model_validate(IMAGE), {})

    assert isinstance(command, AnonymiseImage)
    assert (command.image_id, command.ingested_year) == (IMAGE["id_imagen"], 2024)
    assert not [text for text in ("Hospital", "fumador", "p1", "02-29") if text in command.model_dump_json()]


def test_an_image_of_which_only_the_id_is_known_has_defaults() -> None:
    command = bodies.anonymise(bodies.Imagen.model_validate({"id_imagen": "x"}), {})

    assert command == AnonymiseImage(
        image_id="x",
        modality="Desconocida",
        pathology="Desconocido",
        anatomical_region="No especificada",
        image_format="Desconocido",
    )
    with pytest.raises(ValidationError):
        bodies.ImagenCompleta.model_validate({"id_imagen": "x"})


@pytest.mark.parametrize("member", ["modalidad", "patologia", "region_anatomica", "formato_imagen"])
def test_an_empty_text_of_an_image_is_one_that_is_missing(member: str) -> None:
    lacking = {name: value for name, value in IMAGE.items() if name != member}

    assert bodies.anonymise(bodies.Imagen.model_validate({**IMAGE, member: ""}), {}) == bodies.anonymise(
        bodies.Imagen.model_validate(lacking), {}
    )


def test_an_image_with_a_url_is_fetched() -> None:
    url = "https://pacs.example.org/1.dcm"

    command = bodies.process(bodies.ImagenEnviada.model_validate({**IMAGE, "formato_imagen": "X", "url_imagen": url}), {})

    assert isinstance(command, FetchImage)
    assert (command.url, command.image_format, command.modality) == (url, "DICOM", "Rayos X")
    without = bodies.process(bodies.ImagenEnviada.model_validate(IMAGE), {})
    assert without == bodies.anonymise(bodies.Imagen.model_validate(IMAGE), {})


@pytest.mark.parametrize("fecha", ["2024-13-01 00:00:00", "2024-01-01", "hoy", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z"])
def test_the_time_at_which_an_image_came_has_one_form(fecha: str) -> None:
    with pytest.raises(ValidationError, match="AAAA-MM-DD"):
        bodies.Imagen.model_validate({**IMAGE, "fecha_ingesta": fecha})
