"""Requests, packets, datasets and patients in their clients' words."""

from typing import Any

import pytest

from query_api.medical_datasets.rows import (
    for_phone,
    for_web,
    shown_dataset,
    shown_parquet,
    shown_patient,
    shown_request,
)
from schemas.medical_datasets.views import AnonymisationRequests, Datasets, Parquets, PatientLinks
from tests.unit.aggregates.medical_datasets.packets import ID, IMAGE, PACKET, TOKEN

PARQUET = Parquets(parquet_id=ID, token=TOKEN, packet=PACKET.model_dump(mode="json"), status="mapped").model_dump()
DATASET = Datasets(
    packet_id=str(ID), saga_id=ID, token=TOKEN, packet=PACKET.model_dump(mode="json"), status="finished", record_id="HC-1"
).model_dump()


@pytest.mark.parametrize(
    ("status", "file", "estado", "imagen_estado"),
    [
        ("started", None, "Iniciada", None),
        ("anonymised", IMAGE.model_dump(), "Anonimizada", "ANONIMIZADA"),
        ("anonymised", None, "Anonimizada", "NO_DESCARGADA"),
        ("failed", None, "Fallida", None),
        ("rolled_back", None, "Deshecha", None),
    ],
)
def test_a_request_says_what_was_made_of_its_image(status: str, file: Any, estado: str, imagen_estado: str | None) -> None:
    shown = shown_request(AnonymisationRequests(saga_id=ID, token=TOKEN).model_dump() | {"status": status, "file": file})
    assert (shown.estado, shown.imagen_estado, shown.imagen) == (estado, imagen_estado, None if file is None else IMAGE.sha256)


def test_phones_get_no_notes_and_no_data() -> None:
    assert for_phone(PARQUET).model_dump() == {
        "token": str(TOKEN),
        "fecha_creacion": "2025-03-09T12:30:00Z",
        "contexto_procesal": "Inicial",
    }
    web = for_web(PARQUET).model_dump()
    assert (web["notas_clinicas"], web["data"], web["token"]) == ("Sin novedad", PACKET.data, str(TOKEN))


def test_what_clients_call_the_record_of_a_patient_is_the_token() -> None:
    assert shown_parquet(PARQUET).historial_paciente_id == str(TOKEN)
    assert shown_parquet({**PARQUET, "token": None}).historial_paciente_id == str(ID)
    assert shown_dataset(DATASET).historial_paciente_id == str(TOKEN)
    assert shown_dataset({**DATASET, "token": None}).historial_paciente_id is None, "never a record that a client gave"


def test_a_dataset_leads_to_its_parquet_file() -> None:
    shown = shown_dataset(DATASET)
    assert (shown.estado, shown.parquet, shown.region_anatomica) == ("Finalizado", f"/mapear/parquets/{ID}", "Cabeza")
    assert shown_dataset({**DATASET, "saga_id": None}).parquet is None
    assert shown_dataset({**DATASET, "status": "failed", "reason": "no"}).motivo == "no"


def test_a_patient_is_shown_with_the_token() -> None:
    row = PatientLinks(token=TOKEN, saga_id=ID, name="Ana", record_id="HC-1").model_dump()
    assert (shown_patient(row).nombre_paciente, shown_patient(row).historial_paciente_id) == ("Ana", "HC-1")
