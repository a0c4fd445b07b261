"""The alliances' topics for other teams, in the words that they know.

Mail addresses, phone numbers, addresses and configurations are not published, nor are names of the sanction list.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from schemas.envelope import RecordedEvent
from schemas.integration import Content, IncomingTopic, OutgoingTopic, Record
from schemas.message import Command
from schemas.partner_alliances.clients.spanish import RULE_VIOLATIONS, WORDS_FOR_KYC, monto_of
from schemas.partner_alliances.compliance import ContractApproved, ContractRejected
from schemas.partner_alliances.contracts import ContractCreated, ContractRevision, ContractRevisionDecided
from schemas.partner_alliances.integrations import PartnerCreated
from schemas.partner_alliances.partners import (
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    PartnerChanged,
    PartnerDeleted,
    RequestRegistration,
)
from schemas.partner_alliances.parts import Amount

_SERVICE = "integraciones"
_PARTNER_CREATED = Record("EventoPartnerCreado", {"partner_id": "string"}, service=_SERVICE)
_PARTNER_CHANGED = Record(
    "EventoPartnerActualizado",
    {"partner_id": "string", "nombre": "string", "email": "string", "telefono": "string", "direccion": "string"},
    service=_SERVICE,
)
_PARTNER_DELETED = Record(
    "EventoPartnerEliminado", {"partner_id": "string", "estado": "string", "estado_anterior": "string"}, service=_SERVICE
)
_KYC_VERIFIED = Record(
    "EventoKYCVerificado",
    {"partner_id": "string", "estado_kyc_anterior": "string", "estado_kyc_nuevo": "string", "observaciones": "string"},
    service=_SERVICE,
)
_INTEGRATION_CREATED = Record(
    "EventoIntegracionCreada",
    {"integracion_id": "string", "partner_id": "string", "tipo": "string", "nombre": "string", "descripcion": "string"},
    service=_SERVICE,
)
_INTEGRATION_REVOKED = Record(
    "EventoIntegracionRevocada", {"integracion_id": "string", "partner_id": "string", "motivo": "string"}, service=_SERVICE
)


def _partner_created(recorded: RecordedEvent[PartnerCreated]) -> Content:
    return {"partner_id": str(recorded.data.partner_id)}


def _partner_changed(recorded: RecordedEvent[PartnerChanged]) -> Content:
    return {"partner_id": str(recorded.data.partner_id), "nombre": recorded.data.name}


def _partner_deleted(recorded: RecordedEvent[PartnerDeleted]) -> Content:
    return {"partner_id": str(recorded.data.partner_id), "estado": "ELIMINADO"}


def _kyc_verified(recorded: RecordedEvent[KycVerified]) -> Content:
    before, now = WORDS_FOR_KYC[recorded.data.former_status], WORDS_FOR_KYC[recorded.data.status]
    return {"partner_id": str(recorded.data.partner_id), "estado_kyc_anterior": before, "estado_kyc_nuevo": now}


def _integration_created(recorded: RecordedEvent[IntegrationCreated]) -> Content:
    integration = recorded.data
    return {
        "integracion_id": str(integration.integration_id),
        "partner_id": str(integration.partner_id),
        "tipo": integration.type,
        "nombre": integration.name,
        "descripcion": integration.description,
    }


def _integration_revoked(recorded: RecordedEvent[IntegrationRevoked]) -> Content:
    revoked = recorded.data
    ids = {"integracion_id": str(revoked.integration_id), "partner_id": str(revoked.partner_id)}
    return {**ids, "motivo": revoked.reason}


def _contract_created(recorded: RecordedEvent[ContractCreated]) -> Content:
    contract = recorded.data
    return {
        **_contract(contract, "inactivo"),
        **_money(contract.amount),
        "tipo": contract.product,
        "fecha_inicio": _day(contract.starts_on),
        "fecha_fin": None if contract.ends_on is None else _day(contract.ends_on),
        "fecha_creacion": _moment(recorded.recorded_at),
    }


def _contract_approved(recorded: RecordedEvent[ContractApproved]) -> Content:
    passed = [verdict.rule for verdict in recorded.data.verdicts if verdict.passed]
    at = _moment(recorded.recorded_at)
    return {**_assessed(recorded.data, "activo"), "fecha_aprobacion": at, "validaciones_pasadas": passed}


def _contract_rejected(recorded: RecordedEvent[ContractRejected]) -> Content:
    violated = [verdict.rule for verdict in recorded.data.verdicts if not verdict.passed]
    return {
        **_assessed(recorded.data, "rechazado"),
        "fecha_rechazo": _moment(recorded.recorded_at),
        "causa_rechazo": ", ".join(RULE_VIOLATIONS[rule] for rule in violated),
        "validacion_fallida": violated[0] if violated else None,
    }


def _revision_decided(recorded: RecordedEvent[ContractRevisionDecided]) -> Content:
    """Returns an officer's approval; the rejection of a contract is published already."""
    if not recorded.data.approved:
        return None
    at = _moment(recorded.recorded_at)
    return {
        **_contract(recorded.data, "activo"),
        **_money(None),
        "tipo": None,
        "fecha_aprobacion": at,
        "validaciones_pasadas": [],
    }


def _contract_revision(recorded: RecordedEvent[ContractRevision]) -> Content:
    return {**_contract(recorded.data, "inactivo"), "motivo": "Requiere la decisión de un oficial de compliance"}


def _assessed(event: ContractApproved | ContractRejected, state: str) -> dict[str, Any]:
    return {**_contract(event, state), **_money(event.amount), "tipo": event.product}


def _contract(event: Any, state: str) -> dict[str, Any]:
    return {"partner_id": str(event.partner_id), "contrato_id": str(event.contract_id), "estado": state}


def _money(amount: Amount | None) -> dict[str, Any]:
    return {"monto": None, "moneda": None} if amount is None else {"monto": monto_of(amount.cents), "moneda": amount.currency}


def _day(day: date) -> str:
    return day.isoformat()


def _moment(at: datetime) -> str:
    return at.isoformat()


_GENERAL = "eventos-partners-general"
OUTGOING = (
    OutgoingTopic("PartnerCreado", PartnerCreated, _partner_created, _PARTNER_CREATED),
    OutgoingTopic(_GENERAL, PartnerChanged, _partner_changed, _PARTNER_CHANGED),
    OutgoingTopic(_GENERAL, PartnerDeleted, _partner_deleted, _PARTNER_DELETED),
    OutgoingTopic(_GENERAL, KycVerified, _kyc_verified, _KYC_VERIFIED),
    OutgoingTopic(_GENERAL, IntegrationCreated, _integration_created, _INTEGRATION_CREATED),
    OutgoingTopic(_GENERAL, IntegrationRevoked, _integration_revoked, _INTEGRATION_REVOKED),
    OutgoingTopic("ContratoCreado", ContractCreated, _contract_created),
    OutgoingTopic("contrato-aprobado", ContractApproved, _contract_approved),
    OutgoingTopic("contrato-aprobado", ContractRevisionDecided, _revision_decided),
    OutgoingTopic("contrato-rechazado", ContractRejected, _contract_rejected),
    OutgoingTopic("revision-contrato", ContractRevision, _contract_revision),
)


_CREATE_PARTNER = Record(
    "ComandoCrearPartner",
    {"nombre": "string", "email": "string", "telefono": "string", "direccion": "string"},
    service="BFF Web",
)


def _request_registration(data: Mapping[str, Any]) -> Command:
    return RequestRegistration(
        name=data["nombre"], email=data["email"], phone=data.get("telefono"), address=data.get("direccion")
    )


INCOMING = (IncomingTopic("comando-crear-partner", RequestRegistration, _request_registration, _CREATE_PARTNER),)
