"""The errors of data ingestion's own paths, as its clients know them: ``{"error": …}``, in Spanish."""

from schemas.clients.dialect import FIELD_REQUIRED, LACKING, Dialect
from schemas.clients.spanish import ErrorAnswer, error_answer

DIALECT = Dialect(
    ErrorAnswer,
    error_answer,
    statuses={"malformed": 400, "invalid": 400},
    texts={LACKING: "Se requieren 'partner_id' y 'payload'", "not_found": "Datos no encontrados"},
    words={FIELD_REQUIRED: "falta"},
)
