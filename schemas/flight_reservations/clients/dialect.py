"""The errors of the flight reservations' own paths, as their clients know them: ``{"error": …}``, in Spanish."""

from schemas.clients.dialect import Dialect
from schemas.clients.spanish import TEXTS, WORDS, ErrorAnswer, error_answer, lengths

_WORDS = {
    **WORDS,
    "Input should be a valid UUID": "debe ser un UUID",
    "String should have at least 1 character": "no debe estar vacío",
    "Input should be a valid list": "debe ser una lista",
    "List should have at least 1 item after validation, not 0": "debe tener al menos un elemento",
    "Input should be 'natural' or 'empresa'": "debe ser natural o empresa",
    **lengths((1, 200), (3, 254)),
    "String should match pattern '^[A-Z]{3,4}$'": "debe ser un código IATA u OACI",
}
DIALECT = Dialect(
    ErrorAnswer,
    error_answer,
    statuses={"malformed": 400, "invalid": 400, "rejected": 400, "does_not_exist": 404},
    texts={
        **TEXTS,
        "unsupported_format": "El tipo de contenido no está admitido",
        "key_reused": "El id o la clave de idempotencia ya se usó para otro comando",
    },
    words=_WORDS,
)
RESERVATIONS = DIALECT.saying(not_found="No existe la reserva", does_not_exist="No existe la reserva")
CUSTOMERS = DIALECT.saying(not_found="No existe el usuario", does_not_exist="No existe el usuario")
