"""The records on the subscriptions' topics: the Avro envelope names the service of another team's that they belong to."""

from schemas.integration import Record

SUBSCRIPTIONS, SERVICES, IMAGING, NOTIFICATIONS = "suscripciones", "serviciodatos", "procesamiento", "notificaciones"


def record(name: str, service: str, *fields: str, **types: str) -> Record:
    """Returns a record of a service's whose fields are texts, but for those with another type."""
    return Record(name, {**dict.fromkeys(fields, "string"), **types}, service=service)
