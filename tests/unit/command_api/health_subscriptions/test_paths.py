"""The answers of the subscriptions' own paths."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from command_api.health_subscriptions.paths import PATHS, anonymised, received
from command_api.http.paths import AcceptedCommandPath
from schemas.envelope import Receipt
from schemas.health_subscriptions.imaging import AnonymiseImage, ImageAnonymised
from schemas.health_subscriptions.notifications import ReceiveEvent

RECEIPT = Receipt(
    command_id=UUID(int=1), stream="image-1", version=1, position=4711, partition=0, recorded_at=MIDNIGHT, events=("x",)
)
FIELDS = {"image_id": "i", "modality": "m", "pathology": "p", "anatomical_region": "r", "image_format": "f"}


def test_an_image_is_answered_with_its_number_and_without_its_patient() -> None:
    event = ImageAnonymised(**FIELDS, patient_id=UUID(int=9), ingested_year=2024)

    answer = anonymised(AnonymiseImage(**FIELDS, ingested_year=2024), RECEIPT, [event])

    shown = answer["datos_procesados"]["datos_procesados"]
    assert (answer["id"], answer["datos_procesados"]["id"]) == (4711, 4711)
    assert (shown["fuente_de_datos"], shown["antecedentes"]) == ("***ANONIMIZADO***", "***ANONIMIZADO***")
    assert (shown["id_paciente"], shown["fecha_ingesta"]) == (UUID(int=9), 2024)


def test_a_test_notification_repeats_its_event() -> None:
    assert received(ReceiveEvent(text="hola"), RECEIPT, ()) == {
        "message": "Notificación para el evento 'hola' enviada exitosamente."
    }


def test_all_that_clients_do_not_wait_for_is_only_accepted() -> None:
    waiting = {path.path for path in PATHS if not isinstance(path, AcceptedCommandPath)}

    assert waiting == {
        "/anonimizar",
        "/procesamiento/imagenes",
        "/procesamiento/cuarentena/{id}/liberar",
        "/procesamiento/cuarentena/{id}/descartar",
        "/test-notification",
    }
