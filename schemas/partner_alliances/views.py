"""The partner alliances' views: partners, programmes, contracts, campaigns, and the assessments of compliance."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.partner_alliances.compliance import AccountState
from schemas.partner_alliances.partners import KycStatus
from schemas.partner_alliances.roles import CLIENTS_COMPLIANCE, CLIENTS_PARTNERS, COMPLIANCE, PARTNERS
from schemas.sensitive import Encrypted
from schemas.view import View

ContractStatus = Literal["created", "active", "suspended", "inactive", "in_revision", "rejected", "expired"]


class Partners(
    View,
    context="integrations",
    key="partner_id",
    indexes=("status", "temporary_id", "name"),
    access=PARTNERS,
    subject="partner_id",
):
    """A partner, from its creation on."""

    partner_id: UUID
    temporary_id: UUID | None = None
    name: str | None = None
    type: str | None = None
    email: Encrypted = None
    tax_country: str | None = None
    tax_number: str | None = None
    status: Literal["created", "active", "withdrawn", "deleted"] = "created"
    reason: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class PartnerProfiles(
    View,
    context="integrations",
    key="partner_id",
    indexes=("created_at",),
    access=CLIENTS_PARTNERS,
    subject="partner_id",
    own_paths_only=True,
):
    """A partner with its integrations, as the clients that maintain it see it."""

    partner_id: UUID
    name: str | None = None
    email: Encrypted = None
    phone: Encrypted = None
    address: Encrypted = None
    status: Literal["active", "inactive", "deleted", "rejected"] = "active"
    reason: str | None = None
    """Why its registration was rejected."""
    onboarding: Literal["created", "active", "withdrawn"] = "created"
    kyc_status: KycStatus = "pending"
    kyc_documents: Encrypted = None
    integrations: list[dict[str, JsonValue]] = Field(default_factory=list)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Programs(View, context="integrations", key="program_id", indexes=("product", "brand_id")):
    """A programme that partners take part in."""

    program_id: UUID
    name: str | None = None
    description: str | None = None
    product: str | None = None
    commission_percent: float = 0
    brand_id: str | None = None
    details: dict[str, JsonValue] | None = None
    created_at: datetime | None = None


class Contracts(View, context="contracts", key="contract_id", indexes=("partner_id", "status", "ends_on")):
    """A contract."""

    contract_id: UUID
    partner_id: UUID | None = None
    product: str | None = None
    terms: dict[str, JsonValue] = Field(default_factory=dict)
    starts_on: date | None = None
    ends_on: date | None = None
    status: ContractStatus = "created"
    reason: str | None = None
    approved: bool | None = None
    """The decision of compliance; ``None`` before it."""
    decided_by: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Assessments(
    View,
    context="compliance",
    key="contract_id",
    indexes=("partner_id", "approved"),
    access=COMPLIANCE,
):
    """A contract as compliance sees it: its amount and status, and the verdict of each rule once it is assessed."""

    contract_id: UUID
    partner_id: UUID | None = None
    amount_cents: int | None = None
    currency: str | None = None
    status: ContractStatus = "created"
    approved: bool | None = None
    verdicts: list[JsonValue] = Field(default_factory=list)
    sanction_list: int = 0
    assessed_at: datetime | None = None


class OpenFindings(
    View, context="compliance", key="contract_id", indexes=("is_open",), access=CLIENTS_COMPLIANCE, own_paths_only=True
):
    """The rules that a contract does not meet; they are open until an officer decides or the contract ends."""

    contract_id: UUID
    unmet: tuple[str, ...] = ()
    is_closed: bool = False
    is_open: bool = False


class FinancialAccounts(View, context="compliance", key="partner_id", indexes=("state",), access=COMPLIANCE):
    """A partner in the financial system."""

    partner_id: UUID
    state: AccountState | None = None
    enabled_at: datetime | None = None
    updated_at: datetime | None = None


class Campaigns(View, context="campaigns", key="campaign_id", indexes=("partner_id", "starts_on")):
    """A campaign."""

    campaign_id: UUID
    partner_id: UUID | None = None
    name: str | None = None
    description: str | None = None
    budget_cents: int = 0
    starts_on: date | None = None
    ends_on: date | None = None
    created_at: datetime | None = None


VIEWS = (Partners, PartnerProfiles, Programs, Contracts, Assessments, OpenFindings, FinancialAccounts, Campaigns)
