"""The Spanish words of the partner alliances' clients for kinds and statuses."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from schemas.partner_alliances.compliance import AccountState
from schemas.partner_alliances.partners import KycStatus
from schemas.partner_alliances.parts import CommissionModel, PartnerType

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

Monto = Annotated[float, Field(ge=0, le=10**12)]


def cents_of(monto: float) -> int:
    """Returns an amount in cents, rounded to the nearest."""
    return round(monto * 100)
