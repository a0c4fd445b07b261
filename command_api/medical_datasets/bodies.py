"""The bodies of the medical datasets' clients, and the commands that they make. What is not known in them is ignored."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from schemas.medical_datasets.anonymisation import PersonalText, RequestAnonymisation
from schemas.medical_datasets.clients.packets import Imagen, Paquete, Url
from schemas.medical_datasets.mapping import CreateParquet
from schemas.medical_datasets.processing import CreateDataset
from schemas.message import Command
from schemas.values.text import Identifier


def _as_text(value: object) -> object:
    """Returns an integer as text, and an empty text as none: clients send ids and phone numbers as either."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value or None


Personal = Annotated[PersonalText, BeforeValidator(_as_text)]


class Anonimizacion(Imagen):
    """Una imagen con su paciente."""

    historial_paciente_id: Personal = None
    nombre_paciente: Personal = None
    direccion_paciente: Personal = None
    telefono_paciente: Personal = None
    img: Url = None


class NuevoParquet(Paquete):
    """Un paquete que ya es anónimo."""

    token: UUID | None = None
    id_dicom_anonimo: UUID | None = None


class NuevoDataset(Paquete):
    """Un paquete del que se hace un dataset."""

    packet_id: Annotated[Identifier, BeforeValidator(_as_text)]
    historial_paciente_id: Annotated[PersonalText, BeforeValidator(_as_text), Field(description="Se guarda cifrado.")] = None


def anonymise(cuerpo: Anonimizacion, _: Mapping[str, str]) -> Command:
    return RequestAnonymisation(
        record_id=cuerpo.historial_paciente_id,
        name=cuerpo.nombre_paciente,
        address=cuerpo.direccion_paciente,
        phone=cuerpo.telefono_paciente,
        image_url=cuerpo.img or cuerpo.imagen or None,
        packet_json=cuerpo.packet.model_dump_json(),
    )


def create_parquet(cuerpo: NuevoParquet, _: Mapping[str, str]) -> Command:
    return CreateParquet(token=cuerpo.token or cuerpo.id_dicom_anonimo, packet=cuerpo.packet)


def create_dataset(cuerpo: NuevoDataset, _: Mapping[str, str]) -> Command:
    return CreateDataset(packet_id=cuerpo.packet_id, record_id=cuerpo.historial_paciente_id, packet=cuerpo.packet)
