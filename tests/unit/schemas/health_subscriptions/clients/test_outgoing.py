"""The subscriptions' outgoing topics: what is published of events."""

from typing import Any

import pytest

from aggregates.scenario import recorded
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.outgoing import OUTGOING
from schemas.health_subscriptions.imaging import ImageAnonymised, ImageQuarantined, ImageRejected
from schemas.health_subscriptions.notifications import NotificationConfirmed, NotificationFailed, NotificationSent
from schemas.message import Event
from schemas.values.dicom import QuarantinedFile
from tests.unit.aggregates.health_subscriptions.subscribers import ACTIVE, FREE, ID, IDS, PRO
from tests.unit.aggregates.health_subscriptions.test_data_services import ASSIGNED, CREATED, FINISHED

TEXT = str(ID)
DESCRIBED: dict[str, Any] = {
    "image_id": "i", "modality": "m", "pathology": "p", "anatomical_region": "r", "image_format": "f", "ingested_year": 2024,
}  # fmt: skip
IMAGE = ImageAnonymised(patient_id=ID, **DESCRIBED)


@pytest.mark.parametrize(
    ("topic", "event", "content"),
    [
        ("eventos-suscripcion-creada", ACTIVE, {"codigo_cliente": "0001", "codigo_plan": "PRO", "id_suscripcion": TEXT}),
        (
            "eventos-suscripcion-cancelada",
            subscriptions.SubscriptionCancelled(**IDS, reason="x"),
            {"id_suscripcion": TEXT, "motivo": "x"},
        ),
        (
            "eventos-suscripcion-plan-modificado",
            subscriptions.PlanChanged(**IDS, old=PRO, new=FREE),
            {"id_suscripcion": TEXT, "plan_anterior": "PRO", "plan_nuevo": "free"},
        ),
        ("suscripciones-topic", subscriptions.SubscriptionActivated(**IDS), "ProcesoFinalizado"),
        (
            "eventos-servicio-datos",
            CREATED,
            {
                "id_serviciodatos": str(CREATED.data_service_id),
                "codigo_suscripcion": TEXT,
                "codigo_experto": None,
                "codigo_nube": "local",
                "codigo_data_set": "",
            },
        ),
        (
            "eventos-experto-asignado",
            ASSIGNED,
            {"id_serviciodatos": str(ASSIGNED.data_service_id), "codigo_experto": "e1"},
        ),
        (
            "eventos-servicio-datos-terminado",
            FINISHED,
            {"id_serviciodatos": str(FINISHED.data_service_id), "motivo": "done"},
        ),
        ("eventos-anonimizacion", IMAGE, {"id": 1, "id_imagen": "i", "fecha_ingesta": 2024}),
        (
            "eventos-imagen-en-cuarentena",
            ImageQuarantined(quarantine_id=ID, file=QuarantinedFile(key="k", bytes=1, reason="texto"), **DESCRIBED),
            {"id": TEXT, "id_imagen": "i", "motivo": "texto"},
        ),
        ("eventos-imagen-rechazada", ImageRejected(image_id="i", reason="x"), {"id_imagen": "i", "motivo": "x"}),
        (
            "eventos-notificacion",
            NotificationSent(notification_id=ID, cause="c", attempt=1),
            {"id_notificacion": TEXT, "tipo": "Enviada", "causa": "c"},
        ),
        (
            "eventos-notificacion",
            NotificationConfirmed(notification_id=ID, cause="c"),
            {"id_notificacion": TEXT, "tipo": "Confirmada", "causa": "c"},
        ),
        (
            "eventos-notificacion",
            NotificationFailed(notification_id=ID, cause="c", attempt=1, problem="x"),
            {"id_notificacion": TEXT, "tipo": "Error", "causa": "c"},
        ),
    ],
)
def test_what_is_published_has_the_members_of_its_record(topic: str, event: Event, content: Any) -> None:
    (outgoing,) = (one for one in OUTGOING if one.topic == topic and one.event is type(event))

    assert outgoing.content(recorded(event)) == content
    if outgoing.record is not None:
        assert content.keys() <= outgoing.record.fields.keys()


def test_nothing_that_is_encrypted_is_published() -> None:
    published = [one.content(recorded(event)) for event in (ACTIVE, ASSIGNED) for one in OUTGOING if one.event is type(event)]

    assert not [text for text in ("Pablo", "pperez", "Eva") if text in str(published)]
    assert published
