"""Parquet files of packets, written by pyarrow: the same packet gives the same bytes."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.medical_datasets.parts import Packet
from schemas.values.dicom import DicomFile

_WORD, _TIME = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("ms", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("token", pa.string(), nullable=False),
        ("entorno_clinico", pa.string()),
        ("region_anatomica", _WORD),
        ("modalidad", _WORD),
        ("patologia", _WORD),
        ("registro_texto", pa.string()),
        ("contexto_procesal", pa.string()),
        ("notas_clinicas", pa.string()),
        ("fecha_creacion", _TIME),
        ("fecha_actualizacion", _TIME),
        ("examenes", pa.list_(pa.string())),
        ("resultados", pa.map_(pa.string(), pa.string())),
        ("data_json", pa.string()),
        ("imagen", pa.string()),
        ("imagen_sha256", pa.string()),
    ]
)
"""The columns, under the clients' names. A file has one row."""
VERSION = "1"


def written(id: UUID, token: UUID | None, packet: Packet, image: DicomFile | None) -> bytes:
    """Returns a packet as a Parquet file, whose metadata hold its id and the version of the schema."""
    given, data = packet.diagnosis, packet.data
    row = {
        "token": str(token or id),
        "entorno_clinico": packet.clinical_setting,
        "region_anatomica": given.region,
        "modalidad": given.modality,
        "patologia": given.pathology,
        "registro_texto": given.text,
        "contexto_procesal": packet.processing_context,
        "notas_clinicas": packet.clinical_notes,
        "fecha_creacion": packet.created_at,
        "fecha_actualizacion": packet.updated_at,
        "examenes": _texts(data.get("examenes")),
        "resultados": _pairs(data.get("resultados")),
        "data_json": orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode(),
        "imagen": None if image is None else image.key,
        "imagen_sha256": None if image is None else image.sha256,
    }
    metadata = {"schema_version": VERSION, "parquet_id": str(id), "saga_id": str(id)}
    table = pa.Table.from_pylist([row], schema=SCHEMA.with_metadata(metadata))
    out = BytesIO()
    pq.write_table(table, out, compression="zstd", version="2.6")
    return out.getvalue()


def _texts(value: Any) -> list[str] | None:
    """Returns a list of texts; ``None`` for anything else, which ``data_json`` holds all the same."""
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def _pairs(value: Any) -> list[tuple[str, str]] | None:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        return None
    return sorted(value.items())
