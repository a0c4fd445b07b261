"""Images as their clients look them up: by number, or by the client's own id. Each look-up is recorded."""

from uuid import UUID

from pydantic import BaseModel

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.errors import NotFound
from schemas.health_subscriptions.clients import dialect
from schemas.health_subscriptions.imaging import REMOVED, QueryImage
from schemas.health_subscriptions.views import Images

_MAX_DIGITS = 18


class Imagen(BaseModel):
    """Una imagen sin su paciente."""

    id: int
    id_imagen: str | None
    modalidad: str | None
    patologia: str | None
    region_anatomica: str | None
    formato_imagen: str | None
    fuente_de_datos: str
    antecedentes: str
    id_paciente: UUID | None
    fecha_ingesta: int | None


async def image(context: QueryContext) -> Answer:
    """Returns the image with a number, or the newest one with a client's id; raises `NotFound`."""
    given = context.path_parameter("id")
    by_number = given.isascii() and given.isdigit() and len(given) <= _MAX_DIGITS
    if by_number:
        row = await context.views.row(context.request, Images, str(int(given)))
    else:
        page = await context.views.page(context.request, Images, ("image_id", given), ("sort", "-number"), ("limit", "1"))
        if not page.rows:
            raise NotFound(f"there is no image {given}")
        row = page.rows[0]
    await context.commands.send(context.request, [(QueryImage(number_or_id=given), given)])
    return Answer(shown(row))


def shown(row: Row) -> Imagen:
    """Returns an image in the clients' words."""
    return Imagen(
        id=row["number"],
        id_imagen=row["image_id"],
        modalidad=row["modality"],
        patologia=row["pathology"],
        region_anatomica=row["anatomical_region"],
        formato_imagen=row["image_format"],
        fuente_de_datos=REMOVED,
        antecedentes=REMOVED,
        id_paciente=row["patient_id"],
        fecha_ingesta=row["ingested_year"],
    )


QUERIES = (Query("/anonimizado/{id}", Images, "One image.", key="id", shape=shown, handler=image, errors=dialect.IMAGES),)
