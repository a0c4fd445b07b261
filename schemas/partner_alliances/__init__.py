"""Partner alliances: partners are onboarded with a contract that compliance approves, and run campaigns."""

from schemas.partner_alliances import campaigns, compliance, contracts, integrations, partners, rejections, roles, views
from schemas.partner_alliances.clients.gateways import GATEWAYS
from schemas.partner_alliances.clients.topics import INCOMING, OUTGOING
from schemas.system import Context, System

SYSTEM = System(
    name="partner_alliances",
    summary="Partners are onboarded with a contract that compliance or an officer approves, and run campaigns.",
    contexts=(
        Context(
            "integrations",
            commands=(*integrations.COMMANDS, *partners.COMMANDS),
            events=(*integrations.EVENTS, *partners.EVENTS),
            rejections=rejections.OF_INTEGRATIONS,
            audit=roles.AUDIT,
        ),
        Context("contracts", commands=contracts.COMMANDS, events=contracts.EVENTS, rejections=rejections.OF_CONTRACTS),
        Context("compliance", commands=compliance.COMMANDS, events=compliance.EVENTS, audit=roles.AUDIT),
        Context("campaigns", commands=campaigns.COMMANDS, events=campaigns.EVENTS, rejections=rejections.OF_CAMPAIGNS),
    ),
    views=views.VIEWS,
    gateways=GATEWAYS,
    outgoing=OUTGOING,
    incoming=INCOMING,
)
