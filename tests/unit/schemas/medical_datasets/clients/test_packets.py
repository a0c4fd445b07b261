"""A packet in the clients' words."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.medical_datasets.clients.packets import TEXTS, Paquete, as_texts, fecha_of, shown, time_of
from schemas.medical_datasets.parts import Diagnosis, Packet
from tests.unit.aggregates.medical_datasets.packets import PACKET

NOON = datetime(2025, 3, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "fecha", ["2025-03-09T12:00:00Z", "2025-03-09T12:00:00", "2025-03-09T07:00:00-05:00", "2025-03-09 12:00:00.000"]
)
def test_a_time_may_have_an_offset_and_a_fraction_or_none(fecha: str) -> None:
    assert time_of(fecha) == NOON
    assert fecha_of(NOON) == "2025-03-09T12:00:00Z"


@pytest.mark.parametrize("fecha", ["ayer", "2025-13-01", "0001-01-01T00:00:00+05:00"])
def test_what_no_calendar_has_is_no_time(fecha: str) -> None:
    with pytest.raises(ValidationError, match="debe ser una fecha ISO 8601"):
        Paquete(fecha_creacion=fecha)


@pytest.mark.parametrize(
    ("given", "diagnosis"),
    [
        ({"region_anatomica": "Cabeza"}, Diagnosis(region="Cabeza")),
        ('{"modalidad": "CT"}', Diagnosis(modality="CT")),
        ("una nota", Diagnosis(text="una nota")),
        ("[1]", Diagnosis(text="[1]")),
        (None, Diagnosis()),
    ],
)
def test_a_diagnosis_is_parts_or_a_text(given: Any, diagnosis: Diagnosis) -> None:
    assert Paquete(registro_de_diagnostico=given).packet.diagnosis == diagnosis


@pytest.mark.parametrize(("given", "data"), [({"a": 1}, {"a": 1}), ('{"a": [1]}', {"a": [1]}), ("", {}), (" ", {}), (None, {})])
def test_data_are_an_object_or_its_json(given: Any, data: dict[str, Any]) -> None:
    assert Paquete(data=given).packet.data == data


@pytest.mark.parametrize("given", ["[1]", "{", "[" * 100_000, '{"a":' * 40 + "1" + "}" * 40, [1], 7])
def test_other_data_are_rejected(given: Any) -> None:
    with pytest.raises(ValidationError):
        Paquete(data=given)


def test_a_packet_is_read_as_it_is_shown() -> None:
    assert Paquete.model_validate(shown(PACKET)).packet == PACKET
    text = Packet(diagnosis=Diagnosis(text="nota"))
    assert Paquete.model_validate(shown(text)).packet == text


def test_on_topics_every_field_is_a_text() -> None:
    texts = as_texts(PACKET)

    assert tuple(texts) == TEXTS
    assert orjson.loads(texts["data"] or "") == PACKET.data
    assert texts["fecha_actualizacion"] is None
    assert Paquete.model_validate(texts).packet == PACKET
