"""The topics on which other teams send packets, as texts with JSON in those that are none."""

from collections.abc import Mapping
from typing import Any

from schemas.integration import IncomingTopic, Record
from schemas.medical_datasets.anonymisation import RequestAnonymisation
from schemas.medical_datasets.clients.packets import TEXTS, Imagen, Paquete
from schemas.medical_datasets.mapping import CreateParquet
from schemas.medical_datasets.processing import CreateDataset
from schemas.values.literals import read_uuid

_FIELDS = dict.fromkeys(("packet_id", "imagen", *TEXTS), "string")


def request_of(data: Mapping[str, Any]) -> RequestAnonymisation:
    """Returns the request in a record, which names no patient; raises ``ValueError``."""
    read = Imagen.model_validate(data)
    return RequestAnonymisation(image_url=read.imagen or None, packet_json=read.packet.model_dump_json())


def parquet_of(data: Mapping[str, Any]) -> CreateParquet:
    """Returns the packet in a record, which is anonymous already; raises ``ValueError``."""
    token = data.get("token")
    return CreateParquet(token=read_uuid(token) if token else None, packet=Paquete.model_validate(data).packet)


def dataset_of(data: Mapping[str, Any]) -> CreateDataset:
    """Returns the packet in a record; raises ``ValueError`` for one without an id."""
    if not data.get("packet_id"):
        raise ValueError("packet_id: a dataset needs one")
    return CreateDataset(
        packet_id=data["packet_id"],
        record_id=data.get("historial_paciente_id") or None,
        packet=Paquete.model_validate(data).packet,
    )


_TOKEN, _RECORD_ID = {"token": "string"}, {"historial_paciente_id": "string"}
INCOMING = (
    IncomingTopic(
        "comandos-dicom-anonimo",
        RequestAnonymisation,
        request_of,
        Record("ComandoCrearDicomAnonimo", _FIELDS, service="anonimacion"),
        is_personal=True,
    ),
    IncomingTopic(
        "dicom-anonimo", CreateParquet, parquet_of, Record("ComandoCrearParquet", {**_FIELDS, **_TOKEN}, service="mapear")
    ),
    IncomingTopic(
        "comandos-dataset-medico",
        CreateDataset,
        dataset_of,
        Record("ComandoCrearDatasetMedico", {**_FIELDS, **_RECORD_ID}, service="procesamiento"),
        is_personal=True,
    ),
)
