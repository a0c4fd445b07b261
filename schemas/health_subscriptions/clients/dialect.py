"""The errors of the subscriptions' own paths, as their clients know them: ``{"error": …}``, in Spanish."""

from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED, LACKING, Dialect
from schemas.health_subscriptions.clients.spanish import NO_MOMENT


class ErrorAnswer(BaseModel):
    """Un error."""

    error: str


_WORDS = {
    FIELD_REQUIRED: "falta",
    "Extra inputs are not permitted": "no se conoce",
    "Input should be a valid string": "debe ser un texto",
    "Input should be a valid UUID": "debe ser un UUID",
    "String should have at least 1 character": "no debe estar vacío",
    "Input should be a valid list": "debe ser una lista",
    "Input should be an object": "debe ser un objeto",
    "Value error, is not the address of one mailbox": "no es un email",
    f"Value error, {NO_MOMENT}": NO_MOMENT,
    "Value error, should have 1 to 200 characters": "debe tener de 1 a 200 caracteres",
    "Value error, should have 3 to 254 characters": "debe tener de 3 a 254 caracteres",
}
DIALECT = Dialect(
    ErrorAnswer,
    lambda text, _: ErrorAnswer(error=text),
    statuses={"malformed": 400, "invalid": 400, "does_not_exist": 404},
    texts={
        "not_found": "No encontrado",
        "unauthenticated": "Se requiere un token",
        "forbidden": "El token no permite esta operación",
        "too_large": "El cuerpo es demasiado grande",
        "unsupported_format": "El tipo de contenido no está admitido",
        "key_reused": "El id o la clave de idempotencia ya se usó para otro comando",
    },
    words=_WORDS,
)
SUBSCRIPTIONS = DIALECT.saying(not_found="No existe la suscripción")
DATA_SERVICES = DIALECT.saying(not_found="No existe el servicio de datos")
SENT_IMAGES = DIALECT.saying(**{LACKING: "El JSON debe contener un campo 'id_imagen'"})
IMAGES = DIALECT.saying(
    **{LACKING: "Faltan campos requeridos", "not_found": "Datos no encontrados", "does_not_exist": "Datos no encontrados"}
)
TEST_NOTIFICATIONS = DIALECT.saying(**{LACKING: "No se proporcionó un evento."})
