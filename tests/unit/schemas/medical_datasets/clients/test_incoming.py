"""The packets that other teams send."""

from typing import Any

import pytest

from schemas.medical_datasets.anonymisation import RequestAnonymisation
from schemas.medical_datasets.clients.incoming import INCOMING, dataset_of, parquet_of, request_of
from schemas.medical_datasets.clients.packets import as_texts
from schemas.medical_datasets.mapping import CreateParquet
from schemas.medical_datasets.processing import CreateDataset
from tests.unit.aggregates.medical_datasets.packets import PACKET, TOKEN

SENT = {"packet_id": "p-1", "imagen": None, **as_texts(PACKET)}


def test_records_make_commands() -> None:
    assert parquet_of({**SENT, "token": str(TOKEN)}) == CreateParquet(token=TOKEN, packet=PACKET)
    assert parquet_of({**SENT, "token": None}) == CreateParquet(packet=PACKET)
    request = RequestAnonymisation(image_url="http://a/b.dcm", packet_json=PACKET.model_dump_json())
    assert request_of({**SENT, "imagen": "http://a/b.dcm"}) == request
    assert request_of(SENT).image_url is None
    expected = CreateDataset(packet_id="p-1", record_id="HC-1", packet=PACKET)
    assert dataset_of({**SENT, "historial_paciente_id": "HC-1"}) == expected


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (request_of, {"imagen": "ftp://a/b"}),
        (parquet_of, {"token": "x"}),
        (parquet_of, {"data": "[]"}),
        (dataset_of, {"packet_id": None}),
        (dataset_of, {"fecha_creacion": "ayer"}),
    ],
)
def test_records_of_another_form_make_none(make: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"URL|UUID|packet_id|objeto|fecha|badly formed"):
        make({**SENT, **change})


def test_the_topics_are_read_by_their_names() -> None:
    assert {one.topic: one.is_personal for one in INCOMING} == {
        "comandos-dicom-anonimo": True,
        "dicom-anonimo": False,
        "comandos-dataset-medico": True,
    }
