"""The errors of the medical datasets' own paths, as their clients know them: ``{"error": …}``, in Spanish."""

from schemas.clients.dialect import Dialect
from schemas.clients.spanish import TEXTS, WORDS, ErrorAnswer, error_answer, lengths
from schemas.medical_datasets.clients.packets import NO_DATA, NO_DATE, NO_URL

_WORDS = {
    **WORDS,
    "Input should be a valid UUID": "debe ser un UUID",
    "String should have at least 1 character": "no debe estar vacío",
    "Input should be a valid dictionary": NO_DATA,
    **{f"Value error, {one}": one for one in (NO_DATE, NO_URL, NO_DATA)},
    **lengths((1, 500), (1, 2000), (1, 200_000)),
}
DIALECT = Dialect(
    ErrorAnswer,
    error_answer,
    statuses={"malformed": 400, "invalid": 400, "rejected": 400, "does_not_exist": 404},
    texts={
        **TEXTS,
        "not_found": "No encontrado",
        "unsupported_format": "El tipo de contenido no está admitido",
        "key_reused": "El id o la clave de idempotencia ya se usó para otro comando",
    },
    words=_WORDS,
)
DATASETS = DIALECT.saying(not_found="No existe el dataset")
PARQUETS = DIALECT.saying(not_found="No existe el archivo Parquet")
