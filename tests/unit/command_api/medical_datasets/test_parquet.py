"""Parquet files: read by other programs, equal to their packet, and the same at a repeat."""

from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars
import pyarrow.parquet as pq
import pytest

from command_api.medical_datasets.parquet import SCHEMA, written
from schemas.medical_datasets.parts import Diagnosis, Packet
from tests.unit.aggregates.medical_datasets.packets import ID, IMAGE, PACKET, TOKEN

ROW: dict[str, Any] = {
    "token": str(TOKEN),
    "entorno_clinico": "Clínico",
    "region_anatomica": "Cabeza",
    "modalidad": "CT",
    "patologia": "Tumor",
    "registro_texto": None,
    "contexto_procesal": "Inicial",
    "notas_clinicas": "Sin novedad",
    "fecha_creacion": PACKET.created_at,
    "fecha_actualizacion": None,
    "examenes": ["Sangre", "Orina"],
    "resultados": [("glucosa", "90")],
    "data_json": orjson.dumps(PACKET.data, option=orjson.OPT_SORT_KEYS).decode(),
    "imagen": IMAGE.key,
    "imagen_sha256": IMAGE.sha256,
}


def test_pyarrow_reads_what_was_written_with_its_metadata() -> None:
    table = pq.read_table(BytesIO(written(ID, TOKEN, PACKET, IMAGE)))

    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == [ROW]
    named = {name.decode(): value.decode() for name, value in table.schema.metadata.items() if name != b"ARROW:schema"}
    assert named == {"schema_version": "1", "parquet_id": str(ID), "saga_id": str(ID)}
    file = pq.ParquetFile(BytesIO(written(ID, TOKEN, PACKET, IMAGE)))
    assert (file.metadata.format_version, file.metadata.row_group(0).column(0).compression) == ("2.6", "ZSTD")


def test_polars_and_duckdb_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "packet.parquet"
    path.write_bytes(written(ID, TOKEN, PACKET, IMAGE))

    (by_polars,) = polars.read_parquet(path).to_dicts()
    assert {**by_polars, "resultados": list(by_polars["resultados"].items())} == ROW

    found = duckdb.sql(f"select * from read_parquet('{path}')")
    assert found is not None
    by_duckdb = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert {**by_duckdb, "resultados": list(by_duckdb["resultados"].items())} == ROW


@pytest.mark.parametrize("data", [{}, {"examenes": "uno", "resultados": ["a"]}, {"examenes": [1], "resultados": {"a": 1}}])
def test_data_of_another_form_are_kept_as_json_alone(data: dict[str, Any]) -> None:
    packet = Packet(diagnosis=Diagnosis(text="texto"), data=data)

    (row,) = pq.read_table(BytesIO(written(ID, None, packet, None))).to_pylist()

    assert (row["examenes"], row["resultados"], row["registro_texto"]) == (None, None, "texto")
    assert (orjson.loads(row["data_json"]), row["token"], row["imagen"]) == (data, str(ID), None)


def test_the_same_packet_gives_the_same_bytes() -> None:
    turned = PACKET.model_copy(update={"data": dict(reversed(PACKET.data.items()))})

    assert written(ID, TOKEN, PACKET, IMAGE) == written(ID, TOKEN, turned, IMAGE)
