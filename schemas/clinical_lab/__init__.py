"""The clinical laboratory: users sign in, clinicians record results, patients read them, and users get mail."""

from schemas.access import Access
from schemas.clinical_lab import notifications, results, users, views
from schemas.clinical_lab.gateways import GATEWAYS
from schemas.clinical_lab.integration import OUTGOING
from schemas.system import Context, System

_AUDIT = Access.to("auditor")

SYSTEM = System(
    name="clinical_lab",
    summary="Clinicians record results, patients and clinicians read them, each reading is recorded, and users get mail.",
    contexts=(
        Context("users", commands=users.COMMANDS, events=users.EVENTS, audit=_AUDIT),
        Context("results", commands=results.COMMANDS, events=results.EVENTS, audit=_AUDIT),
        Context("notifications", commands=notifications.MESSAGES.commands, events=notifications.MESSAGES.events, audit=_AUDIT),
    ),
    views=views.VIEWS,
    gateways=GATEWAYS,
    outgoing=OUTGOING,
)
