"""The bodies of the medical datasets' clients."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from command_api.medical_datasets.bodies import (
    Anonimizacion,
    NuevoDataset,
    NuevoParquet,
    anonymise,
    create_dataset,
    create_parquet,
)
from schemas.medical_datasets.anonymisation import RequestAnonymisation
from schemas.medical_datasets.mapping import CreateParquet
from schemas.medical_datasets.parts import Packet
from schemas.medical_datasets.processing import CreateDataset

SENT: dict[str, Any] = {
    "historial_paciente_id": 12345,
    "nombre_paciente": "Juan Pérez",
    "direccion_paciente": "Calle 1",
    "telefono_paciente": "",
    "img": "https://images.example/1.dcm",
    "entorno_clinico": "Clínico",
    "registro_de_diagnostico": {"region_anatomica": "Cabeza", "modalidad": "CT", "patologia": "Tumor", "otro": 1},
    "fecha_creacion": "2025-03-09T12:30:00Z",
    "data": {"examenes": ["Sangre"]},
    "otro": 1,
}
TOKEN = UUID(int=3)


def test_a_request_becomes_a_command_with_its_patient_apart() -> None:
    command = anonymise(Anonimizacion.model_validate(SENT), {})

    assert isinstance(command, RequestAnonymisation)
    assert (command.record_id, command.name, command.phone) == ("12345", "Juan Pérez", None)
    assert command.image_url == "https://images.example/1.dcm"
    packet = Packet.model_validate_json(command.packet_json)
    assert (packet.clinical_setting, packet.diagnosis.region, packet.data) == ("Clínico", "Cabeza", {"examenes": ["Sangre"]})
    other = {**SENT, "img": None, "imagen": "http://images.example/2.dcm"}
    again = anonymise(Anonimizacion.model_validate(other), {})
    assert isinstance(again, RequestAnonymisation) and again.image_url == "http://images.example/2.dcm"


@pytest.mark.parametrize("name", ["token", "id_dicom_anonimo"])
def test_a_parquet_file_has_the_token_under_either_name(name: str) -> None:
    command = create_parquet(NuevoParquet.model_validate({**SENT, name: str(TOKEN)}), {})

    assert isinstance(command, CreateParquet) and command.token == TOKEN
    assert "Juan" not in command.model_dump_json()


def test_a_dataset_needs_the_id_of_its_packet() -> None:
    command = create_dataset(NuevoDataset.model_validate({**SENT, "packet_id": 7}), {})
    assert isinstance(command, CreateDataset) and (command.packet_id, command.record_id) == ("7", "12345")


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (Anonimizacion, {"img": "file:///etc/passwd"}),
        (Anonimizacion, {"fecha_creacion": "ayer"}),
        (Anonimizacion, {"data": "[1]"}),
        (Anonimizacion, {"nombre_paciente": "x" * 501}),
        (NuevoParquet, {"token": "1"}),
        (NuevoDataset, {"packet_id": None}),
    ],
)
def test_what_is_none_of_it_is_rejected(body: type[BaseModel], change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body.model_validate({**SENT, **change})
