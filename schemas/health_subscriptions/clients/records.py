"""The records on the subscriptions' topics, each with the name of the service that its readers know."""

from schemas.integration import Record

SUBSCRIPTIONS, SERVICES, IMAGING, NOTIFICATIONS = "suscripciones", "serviciodatos", "procesamiento", "notificaciones"


def record(name: str, service: str, *fields: str, **types: str) -> Record:
    """Returns the record of a service; its ``fields`` are texts, those in ``types`` have other types."""
    return Record(name, {**dict.fromkeys(fields, "string"), **types}, service=service)
