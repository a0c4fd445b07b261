"""The errors of the subscriptions' own paths, as their clients know them: ``{"error": …}``, in Spanish."""

from schemas.clients.dialect import LACKING, Dialect
from schemas.clients.spanish import TEXTS, WORDS, ErrorAnswer, error_answer, lengths
from schemas.health_subscriptions.clients.spanish import NO_MOMENT

_WORDS = {
    **WORDS,
    "Extra inputs are not permitted": "no se conoce",
    "Input should be a valid UUID": "debe ser un UUID",
    "String should have at least 1 character": "no debe estar vacío",
    "Input should be a valid list": "debe ser una lista",
    f"Value error, {NO_MOMENT}": NO_MOMENT,
    **lengths((1, 200), (3, 254)),
}
DIALECT = Dialect(
    ErrorAnswer,
    error_answer,
    statuses={"malformed": 400, "invalid": 400, "does_not_exist": 404},
    texts={
        "not_found": "No encontrado",
        **TEXTS,
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
