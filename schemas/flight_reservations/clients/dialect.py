"""The errors of the flight reservations' own paths, as their clients know them: ``{"error": …}``, in Spanish."""

from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED, Dialect


class ErrorAnswer(BaseModel):
    """Un error."""

    error: str


_WORDS = {
    FIELD_REQUIRED: "falta",
    "Input should be a valid string": "debe ser un texto",
    "Input should be a valid UUID": "debe ser un UUID",
    "String should have at least 1 character": "no debe estar vacío",
    "Input should be a valid list": "debe ser una lista",
    "Input should be an object": "debe ser un objeto",
    "List should have at least 1 item after validation, not 0": "debe tener al menos un elemento",
    "Input should be 'natural' or 'empresa'": "debe ser natural o empresa",
    "Value error, is not the address of one mailbox": "no es un email",
    "Value error, should have 1 to 200 characters": "debe tener de 1 a 200 caracteres",
    "Value error, should have 3 to 254 characters": "debe tener de 3 a 254 caracteres",
    "String should match pattern '^[A-Z]{3,4}$'": "debe ser un código IATA u OACI",
}
DIALECT = Dialect(
    ErrorAnswer,
    lambda text, _: ErrorAnswer(error=text),
    statuses={"malformed": 400, "invalid": 400, "rejected": 400, "does_not_exist": 404},
    texts={
        "unauthenticated": "Se requiere un token",
        "forbidden": "El token no permite esta operación",
        "too_large": "El cuerpo es demasiado grande",
        "unsupported_format": "El tipo de contenido no está admitido",
        "key_reused": "El id o la clave de idempotencia ya se usó para otro comando",
    },
    words=_WORDS,
)
RESERVATIONS = DIALECT.saying(not_found="No existe la reserva", does_not_exist="No existe la reserva")
CUSTOMERS = DIALECT.saying(not_found="No existe el usuario", does_not_exist="No existe el usuario")
