"""Medical datasets: images and what is known of them are kept without their patients, and become Parquet files and datasets."""

from schemas.access import Access
from schemas.medical_datasets import anonymisation, mapping, notifications, processing, views
from schemas.medical_datasets.clients.gateways import GATEWAYS
from schemas.medical_datasets.clients.incoming import INCOMING
from schemas.medical_datasets.clients.outgoing import OUTGOING
from schemas.system import Context, System

_AUDIT = Access.to("auditor")

SYSTEM = System(
    name="medical_datasets",
    summary="Images and what is known of them are kept without their patients, and become Parquet files and datasets.",
    contexts=(
        Context("anonymisation", commands=anonymisation.COMMANDS, events=anonymisation.EVENTS, audit=_AUDIT),
        Context("mapping", commands=mapping.COMMANDS, events=mapping.EVENTS, audit=_AUDIT),
        Context("processing", commands=processing.COMMANDS, events=processing.EVENTS, audit=_AUDIT),
        Context("notifications", commands=notifications.MESSAGES.commands, events=notifications.MESSAGES.events, audit=_AUDIT),
    ),
    views=views.VIEWS,
    gateways=GATEWAYS,
    outgoing=OUTGOING,
    incoming=INCOMING,
)
