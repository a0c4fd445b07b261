"""The errors of data ingestion's own paths, as its clients know them: ``{"error": …}``, in Spanish."""

from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED, LACKING, Dialect


class ErrorAnswer(BaseModel):
    """Un error."""

    error: str


DIALECT = Dialect(
    ErrorAnswer,
    lambda text, _: ErrorAnswer(error=text),
    statuses={"malformed": 400, "invalid": 400},
    texts={LACKING: "Se requieren 'partner_id' y 'payload'", "not_found": "Datos no encontrados"},
    words={FIELD_REQUIRED: "falta"},
)
