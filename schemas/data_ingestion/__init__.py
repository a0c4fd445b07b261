"""Data ingestion: partners deliver data, which is stored, validated and processed."""

from schemas.data_ingestion import ingestion, processing, records, validation
from schemas.data_ingestion.gateways import GATEWAYS
from schemas.system import Context, System

SYSTEM = System(
    name="data_ingestion",
    summary="Partners deliver data; each delivery is stored, validated against its partner's schema and processed.",
    contexts=(
        Context("ingestion", commands=ingestion.COMMANDS, events=ingestion.EVENTS),
        Context("validation", commands=validation.COMMANDS, events=validation.EVENTS),
        Context("processing", commands=processing.COMMANDS, events=processing.EVENTS),
    ),
    views=records.VIEWS,
    gateways=GATEWAYS,
)
