"""Requests, Parquet files, datasets and patients in the words of their clients."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue

from query_api.queries.context import Answer, QueryContext, QueryHandler
from query_api.queries.query import Query
from query_api.views.paging import Page, Row
from schemas.errors import NotFound
from schemas.medical_datasets.clients import dialect
from schemas.medical_datasets.clients.packets import fecha_of, shown
from schemas.medical_datasets.parts import Packet
from schemas.medical_datasets.views import AnonymisationRequests, Datasets, Parquets, PatientLinks
from schemas.values.files import KeptFile
from streams.integrations.files import Files

_LIMIT = 1000
"""Rows of a page: the clients know no pages."""
_PARQUET = "application/vnd.apache.parquet"
EstadoDeSolicitud = Literal["Iniciada", "Anonimizada", "Fallida", "Deshecha"]
EstadoDeDataset = Literal["Pendiente", "En Proceso", "Finalizado", "Fallido", "Descartado"]
REQUEST_STATES: Mapping[str, EstadoDeSolicitud] = {
    "started": "Iniciada",
    "anonymised": "Anonimizada",
    "failed": "Fallida",
    "rolled_back": "Deshecha",
}
DATASET_STATES: Mapping[str, EstadoDeDataset] = {
    "pending": "Pendiente",
    "in_progress": "En Proceso",
    "finished": "Finalizado",
    "failed": "Fallido",
    "rolled_back": "Descartado",
}


class Solicitud(BaseModel):
    """Una imagen que se pidió anonimizar."""

    id: UUID
    token: UUID | None
    estado: EstadoDeSolicitud
    motivo: str | None
    imagen: str | None
    imagen_estado: Literal["ANONIMIZADA", "NO_DESCARGADA"] | None
    fecha: datetime | None


class ParquetMovil(BaseModel):
    """Un paquete, para teléfonos."""

    token: str
    fecha_creacion: str | None
    contexto_procesal: str


class ParquetWeb(ParquetMovil):
    """Un paquete, para páginas."""

    notas_clinicas: str
    data: dict[str, JsonValue]


class ParquetCompleto(BaseModel):
    """Un paquete con todo lo que se sabe de él."""

    id: UUID
    entorno_clinico: str
    fecha_creacion: str | None
    fecha_actualizacion: str | None
    registro_de_diagnostico: dict[str, str | None] | str
    historial_paciente_id: str
    contexto_procesal: str
    notas_clinicas: str
    data: dict[str, JsonValue]


class Dataset(BaseModel):
    """Un dataset."""

    id: str
    fecha_creacion: datetime | None
    region_anatomica: str | None
    modalidad: str | None
    patologia: str | None
    entorno_clinico: str
    notas_clinicas: str
    historial_paciente_id: str | None
    tipo_contexto_procesal: str
    estado: EstadoDeDataset
    motivo: str | None
    parquet: str | None


class Paciente(BaseModel):
    """El paciente al que pertenece un token."""

    token: UUID
    id_solicitud: UUID | None
    historial_paciente_id: str | None
    nombre_paciente: str | None
    direccion_paciente: str | None
    telefono_paciente: str | None


class Web(BaseModel):
    """Paquetes, para páginas."""

    data: list[ParquetWeb]


class Movil(BaseModel):
    """Paquetes, para teléfonos."""

    data: list[ParquetMovil]


def shown_request(row: Row) -> Solicitud:
    """Returns a request in the clients' words."""
    file, is_decided = row["file"], row["status"] == "anonymised"
    return Solicitud(
        id=row["saga_id"],
        token=row["token"],
        estado=REQUEST_STATES[row["status"]],
        motivo=row["reason"],
        imagen=None if file is None else file["sha256"],
        imagen_estado=None if not is_decided else "NO_DESCARGADA" if file is None else "ANONIMIZADA",
        fecha=row["started_at"],
    )


def shown_parquet(row: Row) -> ParquetCompleto:
    """Returns a packet in the clients' words. What they call the patient's record is the token."""
    return ParquetCompleto(id=row["parquet_id"], historial_paciente_id=_token(row), **shown(_packet(row)))


def for_web(row: Row) -> ParquetWeb:
    """Returns what web pages show of a packet."""
    packet = _packet(row)
    return ParquetWeb(**dict(for_phone(row)), notas_clinicas=packet.clinical_notes, data=packet.data)


def for_phone(row: Row) -> ParquetMovil:
    """Returns what phones show of a packet: no notes and no data."""
    packet = _packet(row)
    return ParquetMovil(
        token=_token(row), fecha_creacion=fecha_of(packet.created_at), contexto_procesal=packet.processing_context
    )


def shown_dataset(row: Row) -> Dataset:
    """Returns a dataset in the clients' words. Only the token of its patient is shown, never a record."""
    packet, is_of_saga = _packet(row), row["saga_id"] is not None
    return Dataset(
        id=row["packet_id"],
        fecha_creacion=row["created_at"],
        region_anatomica=packet.diagnosis.region,
        modalidad=packet.diagnosis.modality,
        patologia=packet.diagnosis.pathology,
        entorno_clinico=packet.clinical_setting,
        notas_clinicas=packet.clinical_notes,
        historial_paciente_id=None if row["token"] is None else str(row["token"]),
        tipo_contexto_procesal=packet.processing_context,
        estado=DATASET_STATES[row["status"]],
        motivo=row["reason"],
        parquet=f"/mapear/parquets/{row['packet_id']}" if is_of_saga and row["status"] == "finished" else None,
    )


def shown_patient(row: Row) -> Paciente:
    """Returns the patient to whom a token belongs."""
    return Paciente(
        token=row["token"],
        id_solicitud=row["saga_id"],
        historial_paciente_id=row["record_id"],
        nombre_paciente=row["name"],
        direccion_paciente=row["address"],
        telefono_paciente=row["phone"],
    )


async def file(context: QueryContext) -> Answer:
    """Returns a Parquet file; raises `NotFound`."""
    row = await context.views.row(context.request, Parquets, context.path_parameter("id"))
    if row["file"] is None:
        raise NotFound(f"the packet {row['parquet_id']} has no file")
    kept = KeptFile.model_validate(row["file"])
    content = await Files.of(context.settings).read(kept.key, size=kept.bytes, sha256=kept.sha256)
    headers = {"Content-Disposition": f'attachment; filename="{row["parquet_id"]}.parquet"'}
    return Answer(content, headers, _PARQUET)


async def listed(context: QueryContext) -> Answer:
    """Returns a page of the packets that have a file."""
    page = await _mapped(context)
    return context.page(page, [shown_parquet(row) for row in page.rows])


async def _wrapped(shape: Callable[[Row], BaseModel], context: QueryContext) -> Answer:
    """Returns a page of packets that have a file, as the member ``data`` of an object."""
    page = await _mapped(context)
    return context.page(page, {"data": [shape(row) for row in page.rows]})


async def _mapped(context: QueryContext) -> Page:
    return await context.views.page(context.request, Parquets, ("status", "mapped"), limit=_LIMIT)


def _of_bff(path: str, summary: str, shape: Callable[[Row], Any], reply: type[BaseModel]) -> Query:
    handler: QueryHandler = partial(_wrapped, shape)
    return Query(path, Parquets, summary, handler=handler, reply=reply, errors=dialect.PARQUETS)


def _packet(row: Row) -> Packet:
    return Packet.model_validate(row["packet"])


def _token(row: Row) -> str:
    return str(row["token"] or row["parquet_id"])


QUERIES = (
    Query(
        "/anonimacion/solicitudes/{id}",
        AnonymisationRequests,
        "A request to anonymise an image: what was made of it, or why not.",
        key="id",
        shape=shown_request,
        errors=dialect.DIALECT,
    ),
    Query(
        "/anonimacion/pacientes/{token}",
        PatientLinks,
        "The patient to whom a token belongs.",
        key="token",
        shape=shown_patient,
        errors=dialect.DIALECT,
    ),
    Query(
        "/mapear/obtener-parquets",
        Parquets,
        "The packets that have a Parquet file.",
        shape=shown_parquet,
        handler=listed,
        errors=dialect.PARQUETS,
    ),
    Query(
        "/mapear/parquets/{id}",
        Parquets,
        "A Parquet file.",
        key="id",
        handler=file,
        media_type=_PARQUET,
        errors=dialect.PARQUETS,
    ),
    Query(
        "/procesamiento/datasets/{id}",
        Datasets,
        "One dataset.",
        key="id",
        shape=shown_dataset,
        errors=dialect.DATASETS,
    ),
    _of_bff("/bff_web/obtener-parquets", "The packets with a Parquet file, for web pages.", for_web, Web),
    _of_bff("/bff_mobile/obtener-parquets", "The same for phones, without notes and data.", for_phone, Movil),
)
