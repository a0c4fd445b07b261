"""The topics of the medical datasets for other teams. No patient is on them."""

from typing import Any

from schemas.envelope import RecordedEvent
from schemas.integration import Content, OutgoingTopic, Record
from schemas.medical_datasets import anonymisation, mapping, processing
from schemas.medical_datasets.clients.packets import TEXTS, as_texts
from schemas.message import Event

_TEXTS = dict.fromkeys(TEXTS, "string")
_IMAGE = Record("EventoDicomAnonimoCreado", {"id_dicom_anonimo": "string", "imagen": "string", **_TEXTS}, service="anonimacion")
_PARQUET = Record("EventoParquetCreado", {"packet_id": "string", "historial_paciente_id": "string", **_TEXTS}, service="mapear")
_DATASET = Record(
    "EventoDatasetMedicoCreado", {"id_dataset_medico": "string", "fecha_creacion": "long"}, service="procesamiento"
)
_STEP = Record("EventoSaga", {"id_saga": "string", "paso": "string"}, service="sagas")
_NO_IMAGE = "La solicitud no tenía imagen"
DATASETS, STEPS = "eventos-dataset-medico", "eventos-saga"
_NAMES: dict[type[Event], str] = {
    anonymisation.AnonymisationStarted: "AnonimacionIniciada",
    anonymisation.ImageAnonymised: "DicomAnonimizado",
    anonymisation.AnonymisationFailed: "AnonimacionFallida",
    anonymisation.AnonymisationRolledBack: "RollbackAnonimacion",
    mapping.MappingStarted: "MapeoIniciado",
    mapping.ParquetMapped: "ParquetMapeado",
    mapping.MappingFailed: "MapeoFallido",
    mapping.MappingRolledBack: "RollbackMapeo",
    processing.ProcessingStarted: "ProcesamientoIniciado",
    processing.DatasetCreated: "DatasetCreado",
    processing.ProcessingFailed: "ProcesamientoFallido",
    processing.ProcessingRolledBack: "RollbackProcesamiento",
}


def _image(recorded: RecordedEvent[anonymisation.ImageAnonymised]) -> Content:
    data = recorded.data
    sha256 = None if data.file is None else data.file.sha256
    return {"id_dicom_anonimo": str(data.token), "imagen": sha256, **as_texts(data.packet)}


def _parquet(recorded: RecordedEvent[mapping.ParquetMapped]) -> Content:
    data = recorded.data
    token = None if data.token is None else str(data.token)
    return {"packet_id": str(data.saga_id), "historial_paciente_id": token, **as_texts(data.packet)}


def _dataset(recorded: RecordedEvent[processing.DatasetCreated]) -> Content:
    return {"id_dataset_medico": recorded.data.packet_id, "fecha_creacion": int(recorded.recorded_at.timestamp() * 1000)}


def _step(name: str) -> Any:
    def content(recorded: RecordedEvent[Any]) -> Content:
        saga_id = recorded.data.saga_id
        return None if saga_id is None else {"id_saga": str(saga_id), "paso": name}

    return content


def _rollback(topic: str, event: type[Event], message: str) -> OutgoingTopic:
    name = f"Evento{_NAMES[event]}"

    def content(recorded: RecordedEvent[Any]) -> Content:
        had_none = getattr(recorded.data, "file", ...) is None
        return {"id_evento": str(recorded.data.saga_id), "mensaje": _NO_IMAGE if had_none else message}

    return OutgoingTopic(topic, event, content, Record(name, {"id_evento": "string", "mensaje": "string"}, service="sagas"))


OUTGOING = (
    OutgoingTopic("dicom-anonimizado", anonymisation.ImageAnonymised, _image, _IMAGE),
    OutgoingTopic("parquet-creado", mapping.ParquetMapped, _parquet, _PARQUET),
    OutgoingTopic(DATASETS, processing.DatasetCreated, _dataset, _DATASET),
    *(OutgoingTopic(STEPS, event, _step(name), _STEP, type=name) for event, name in _NAMES.items()),
    _rollback("rollback-dicom-anonimo", anonymisation.AnonymisationRolledBack, "La imagen anónima fue eliminada"),
    _rollback("rollback-mapeo", mapping.MappingRolledBack, "El archivo Parquet fue eliminado"),
    _rollback("rollback-procesamiento", processing.ProcessingRolledBack, "El dataset fue descartado"),
)
