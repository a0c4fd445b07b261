"""Fetching: a DICOM file from a source that the deployment allows, or the reason why there is none, a text that clients see."""

from collections.abc import Mapping

import structlog

from command_api.handling.activities import ActivityContext
from schemas.errors import NotFound, Rejected, TooLarge, Unavailable
from streams.integrations.remote_files import RemoteFiles

NO_FILES = "No hay dónde guardar imágenes"
_NOT_ALLOWED = "La URL de la imagen no está permitida"
_WHY: Mapping[str, str] = {"not_found": "La fuente no tiene la imagen", "too_large": "La imagen es demasiado grande"}
_log = structlog.get_logger()


class NotFetched(Rejected):
    """There is no such file for this deployment: another attempt would end the same way."""


async def fetched(url: str, attempt: int, context: ActivityContext) -> bytes:
    """Returns a whole file. Raises `NotFetched` with the reason, and `Unavailable` for a source that may answer later."""
    if context.settings.files_url is None:
        raise NotFetched(NO_FILES)
    try:
        return await RemoteFiles.of(context.settings).get(url)
    except Unavailable as error:
        _log.warning("image not fetched", attempt=attempt, reason=error.detail)
        raise
    except (Rejected, NotFound, TooLarge) as error:
        raise NotFetched(_WHY.get(error.kind, _NOT_ALLOWED)) from None
