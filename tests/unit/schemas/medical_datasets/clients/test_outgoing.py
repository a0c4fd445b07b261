"""The medical datasets' topics for other teams."""

from typing import Any

import pytest

from aggregates.scenario import MIDNIGHT, recorded
from schemas.medical_datasets import SYSTEM
from schemas.medical_datasets.clients.outgoing import OUTGOING
from schemas.medical_datasets.processing import DatasetCreated
from schemas.message import Event
from tests.unit.aggregates.medical_datasets.packets import ANONYMISED, ID, IMAGE, STARTED, TOKEN
from tests.unit.aggregates.medical_datasets.test_anonymisation import FAILED, ROLLED_BACK
from tests.unit.aggregates.medical_datasets.test_mapping import MAPPED
from tests.unit.aggregates.medical_datasets.test_mapping import ROLLED_BACK as UNMAPPED
from tests.unit.aggregates.medical_datasets.test_processing import CREATED
from tests.unit.aggregates.medical_datasets.test_processing import STARTED as PROCESSING


def published(event: Event) -> dict[str, Any]:
    found = {}
    for outgoing in OUTGOING:
        if outgoing.event is type(event) and (content := outgoing.content(recorded(event))) is not None:
            assert outgoing.record is not None and isinstance(content, dict)
            assert content.keys() <= outgoing.record.fields.keys()
            found[outgoing.topic] = content
    return found


@pytest.mark.parametrize(
    ("event", "step"),
    [
        (STARTED, "AnonimacionIniciada"),
        (ANONYMISED, "DicomAnonimizado"),
        (FAILED, "AnonimacionFallida"),
        (ROLLED_BACK, "RollbackAnonimacion"),
        (MAPPED, "ParquetMapeado"),
        (UNMAPPED, "RollbackMapeo"),
        (PROCESSING, "ProcesamientoIniciado"),
        (CREATED, "DatasetCreado"),
    ],
)
def test_each_step_is_on_the_topic_of_sagas(event: Event, step: str) -> None:
    assert published(event)["eventos-saga"] == {"id_saga": str(ID), "paso": step}


def test_packets_are_published_with_their_token_when_their_image_is_anonymous() -> None:
    request, parquet = published(ANONYMISED)["dicom-anonimizado"], published(MAPPED)["parquet-creado"]

    assert (request["id_dicom_anonimo"], request["imagen"]) == (str(TOKEN), IMAGE.sha256)
    assert (parquet["packet_id"], parquet["historial_paciente_id"]) == (str(ID), str(TOKEN))
    assert request["notas_clinicas"] == parquet["notas_clinicas"] == "Sin novedad"


def test_datasets_and_rollbacks_have_topics_of_their_own() -> None:
    ms = int(MIDNIGHT.timestamp() * 1000)
    assert published(CREATED)["eventos-dataset-medico"] == {"id_dataset_medico": str(ID), "fecha_creacion": ms}
    assert published(ROLLED_BACK)["rollback-dicom-anonimo"]["id_evento"] == str(ID)
    assert published(UNMAPPED)["rollback-mapeo"]["id_evento"] == str(ID)


def test_a_dataset_of_no_saga_is_no_step() -> None:
    by_hand = DatasetCreated(packet_id="p", saga_id=None, token=None, record_id="encrypted:1:a:b", packet=CREATED.packet)

    assert list(published(by_hand)) == ["eventos-dataset-medico"]
    assert "encrypted" not in str(published(by_hand))


def test_every_event_that_a_saga_knows_is_a_step_but_postponed_images_and_links() -> None:
    steps = {one.event for one in OUTGOING if one.topic == "eventos-saga"}
    events = {event for one in SYSTEM.contexts if one.name != "notifications" for event in one.events}

    assert {event.message_name for event in events - steps} == {"ImagePostponed", "PatientLinked"}
