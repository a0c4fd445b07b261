"""Parquet files: written before they are recorded, and deleted when what follows fails."""

import asyncio
import hashlib
from typing import Any

from aggregates.medical_datasets.mapping import PARQUET, parquet_key
from aggregates.medical_datasets.processing import SIMULATED
from command_api.handling.activities import Activity, ActivityContext
from command_api.medical_datasets.simulated import is_failing
from schemas.envelope import CommandEnvelope
from schemas.medical_datasets.mapping import CreateParquet, FailMapping, MapPacket, RecordParquet, RollbackMapping
from schemas.message import Command
from schemas.values.files import KeptFile
from streams.integrations.files import Files

FAILURE = "FalloSimuladoMapear"
_NO_FILES, _NOT_INSTALLED = "No hay dónde guardar archivos", "Falta el paquete que escribe archivos Parquet (extra parquet)"


async def write(command: CommandEnvelope[CreateParquet | MapPacket], context: ActivityContext) -> Command:
    """Writes a file, the same at a repeat, and returns what is recorded of it or why there is none; raises `Unavailable`."""
    data = command.data
    saga_id = data.saga_id if isinstance(data, MapPacket) else None
    image = data.image if isinstance(data, MapPacket) else None
    known: dict[str, Any] = {"saga_id": saga_id, "token": data.token, "packet": data.packet}
    if is_failing(data.packet, FAILURE, context.settings):
        return FailMapping(reason=SIMULATED, **known)
    if context.settings.files_url is None:
        return FailMapping(reason=_NO_FILES, **known)
    try:
        from command_api.medical_datasets.parquet import written
    except ModuleNotFoundError:
        return FailMapping(reason=_NOT_INSTALLED, **known)
    id = saga_id or command.id
    content = await asyncio.to_thread(written, id, data.token, data.packet, image)
    file = KeptFile(key=parquet_key(id), sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    await Files.of(context.settings).put(file.key, content)
    return RecordParquet(file=file, **known)


async def delete(command: CommandEnvelope[RollbackMapping], context: ActivityContext) -> RollbackMapping:
    """Deletes the file of a request that failed later, if there is one; raises `Unavailable`."""
    id = command.data.saga_id
    if (await context.load(PARQUET, str(id))).status == "mapped":
        await Files.of(context.settings).delete(parquet_key(id))
    return command.data


ACTIVITIES = (Activity(CreateParquet, write), Activity(MapPacket, write), Activity(RollbackMapping, delete))
