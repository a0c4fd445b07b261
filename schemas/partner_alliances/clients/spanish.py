"""The Spanish words of the partner alliances' clients for kinds and statuses."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from schemas.partner_alliances.compliance import AccountState
from schemas.partner_alliances.partners import KycStatus
from schemas.partner_alliances.parts import (
    AffiliationStatus,
    CommissionModel,
    PartnerType,
    ProgramStatus,
    ProgramType,
    Rule,
)

TipoDePartner = Literal["CORPORATIVO", "INDIVIDUAL", "STARTUP", "AGENCIA", "SIN_ANIMO_DE_LUCRO"]

PARTNER_TYPES: Mapping[TipoDePartner, PartnerType] = {
    "CORPORATIVO": "CORPORATE",
    "INDIVIDUAL": "INDIVIDUAL",
    "STARTUP": "STARTUP",
    "AGENCIA": "AGENCY",
    "SIN_ANIMO_DE_LUCRO": "NON_PROFIT",
}

EstadoKyc = Literal["APROBADO", "RECHAZADO", "REQUIERE_DOCUMENTOS", "PENDIENTE"]

KYC_STATUSES: Mapping[EstadoKyc, KycStatus] = {
    "APROBADO": "approved",
    "RECHAZADO": "rejected",
    "REQUIERE_DOCUMENTOS": "documents_required",
    "PENDIENTE": "pending",
}
WORDS_FOR_KYC: Mapping[KycStatus, EstadoKyc] = {status: word for word, status in KYC_STATUSES.items()}

EstadoDeCuenta = Literal["ACTIVE", "INACTIVE", "SUSPENDED"]

ACCOUNT_STATES: Mapping[EstadoDeCuenta, AccountState] = {
    "ACTIVE": "active",
    "INACTIVE": "inactive",
    "SUSPENDED": "suspended",
}

TipoDeContrato = Literal["CPA", "CPL", "CPC", "revshare", "fijo"]

COMMISSION_MODELS: Mapping[TipoDeContrato, CommissionModel] = {
    "CPA": "CPA",
    "CPL": "CPL",
    "CPC": "CPC",
    "revshare": "REVSHARE",
    "fijo": "FIXED",
}
WORDS_FOR_COMMISSION: Mapping[CommissionModel, TipoDeContrato] = {model: word for word, model in COMMISSION_MODELS.items()}

Monto = Annotated[float, Field(ge=0, le=10**12)]


def monto_of(cents: int | None) -> float | None:
    """Returns an amount of cents as clients see it; ``None`` for none."""
    return None if cents is None else cents / 100


RULE_VIOLATIONS: Mapping[Rule, str] = {
    "tax_id": "IDENTIFICACION_INVALIDA",
    "bank_account": "CUENTA_INVALIDA",
    "sanctions": "LISTA_DE_SANCIONES",
    "amount": "MONTO_INVALIDO",
    "currency": "MONEDA_NO_PERMITIDA",
}
"""The clients' words for the rules that a contract violates."""

EstadoDePrograma = Literal["BORRADOR", "ACTIVO", "SUSPENDIDO", "CERRADO"]
PROGRAM_STATUSES: Mapping[EstadoDePrograma, ProgramStatus] = {
    "BORRADOR": "draft",
    "ACTIVO": "active",
    "SUSPENDIDO": "suspended",
    "CERRADO": "closed",
}
TipoDePrograma = Literal["AFILIADOS", "INFLUENCERS", "ADVOCACY", "SAAS"]
PROGRAM_TYPES: Mapping[TipoDePrograma, ProgramType] = {
    "AFILIADOS": "AFFILIATES",
    "INFLUENCERS": "INFLUENCERS",
    "ADVOCACY": "ADVOCACY",
    "SAAS": "SAAS",
}
EstadoDeAfiliacion = Literal["PENDIENTE", "ACTIVA", "SUSPENDIDA", "BAJA"]
AFFILIATION_STATUSES: Mapping[EstadoDeAfiliacion, AffiliationStatus] = {
    "PENDIENTE": "pending",
    "ACTIVA": "active",
    "SUSPENDIDA": "suspended",
    "BAJA": "ended",
}
