"""The medical datasets' own paths for commands. All are only accepted: their clients do not wait for the outcome."""

from collections.abc import Mapping
from typing import Any

from command_api.http.paths import AcceptedCommand, AcceptedCommandPath, OwnPath, Translation
from command_api.medical_datasets import bodies
from schemas.medical_datasets.anonymisation import RequestAnonymisation
from schemas.medical_datasets.clients import dialect
from schemas.medical_datasets.clients.packets import shown
from schemas.medical_datasets.mapping import CreateParquet
from schemas.medical_datasets.parts import Packet
from schemas.medical_datasets.processing import CreateDataset


def received(command: RequestAnonymisation, _: AcceptedCommand) -> Mapping[str, Any]:
    """Returns what was understood of a request, which its client sent in clear a moment ago."""
    patient = {
        "historial_paciente_id": command.record_id,
        "nombre_paciente": command.name,
        "direccion_paciente": command.address,
        "telefono_paciente": command.phone,
        "img": command.image_url,
    }
    packet = Packet.model_validate_json(command.packet_json)
    return {"message": "Se ha recibido la solicitud correctamente", "datos_recibidos": {**patient, **shown(packet)}}


PATHS: tuple[OwnPath, ...] = (
    AcceptedCommandPath(
        "/anonimacion/anonimizar_imagen",
        RequestAnonymisation,
        received,
        translation=Translation(bodies.Anonimizacion, bodies.anonymise),
        location="/anonimacion/solicitudes/{command_id}",
        status=200,
        errors=dialect.DIALECT,
    ),
    AcceptedCommandPath(
        "/mapear/create-parquet",
        CreateParquet,
        translation=Translation(bodies.NuevoParquet, bodies.create_parquet),
        location="/mapear/parquets/{command_id}",
        errors=dialect.DIALECT,
    ),
    AcceptedCommandPath(
        "/procesamiento/crear-dataset-medico-comando",
        CreateDataset,
        translation=Translation(bodies.NuevoDataset, bodies.create_dataset),
        location="/procesamiento/datasets/{key}",
        errors=dialect.DATASETS,
    ),
)
