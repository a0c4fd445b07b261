"""Parts of messages that several contexts of the partner alliances use."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import from_json

from schemas.message import Command
from schemas.sensitive import Encrypted, Sensitive, SensitiveMailbox, is_encrypted
from schemas.values.money import Currency
from schemas.values.names import caseless
from schemas.values.stated import RULES, Stated
from schemas.values.text import NOT_BLANK, PLAIN, PLAIN_INSIDE, Identifier, without_control_characters

_IDS = UUID("5b0c9f57-1a5e-5d0c-8d57-6f4a0c1f8f11")
_NO_OBJECT = "is not a JSON object"


def partner_id_of(request_id: UUID) -> UUID:
    """Returns the id of the partner that a request leads to. The partner is the data subject of all that is encrypted."""
    return uuid5(_IDS, f"partner/{request_id}")


def contract_id_of(request_id: UUID) -> UUID:
    """Returns the id of the contract that is a part of a partner's request."""
    return uuid5(_IDS, f"contract/{request_id}")


def mailbox_id_of(address: str) -> UUID:
    """Returns the id of a mailbox, the same for every spelling of its address in small and capital characters."""
    return uuid5(_IDS, f"mailbox/{caseless(address)}")


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(without_control_characters),
    PLAIN_INSIDE,
]
Note = Annotated[str, StringConstraints(max_length=2000), AfterValidator(without_control_characters), PLAIN]
Product = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")]
"""A kind of alliance that a contract is about. Packages may add kinds."""

Phone = Annotated[str | None, Sensitive(max_length=50)]
PostalAddress = Annotated[str | None, Sensitive(max_length=500)]
SensitiveNote = Annotated[str | None, Sensitive(max_length=2000)]


def _json_object(text: str | None) -> str | None:
    if text is None or is_encrypted(text):
        return text
    try:
        is_object = isinstance(from_json(text, allow_inf_nan=False), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError(_NO_OBJECT)
    return text


SensitiveObject = Annotated[str | None, Sensitive(max_length=20_000), AfterValidator(_json_object), Stated(rules=(_NO_OBJECT,))]
"""A JSON object as a text, which is encrypted as a whole."""

PartnerType = Literal["CORPORATE", "INDIVIDUAL", "STARTUP", "AGENCY", "NON_PROFIT"]


class Part(BaseModel):
    """A part of a message; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
TaxNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), NOT_BLANK]


class TaxId(Part):
    """A tax number and its country."""

    country: Country = Field(description="ISO 3166-1 alpha-2.")
    number: TaxNumber


Bic = Annotated[str, StringConstraints(max_length=20)]
"""The bank's identifier code (ISO 9362)."""


class BankAccount(Part):
    """A bank account: an IBAN, or the bank's BIC and the account's number."""

    iban: Encrypted = None
    bic: Bic | None = None
    number: Encrypted = None


AccountNumber = Annotated[str | None, Sensitive(max_length=50)]
"""An IBAN, or an account's number at its bank."""


class WithAccount(Command):
    """A command with a bank account, which is encrypted for the command's data subject."""

    iban: AccountNumber = None
    bic: Bic | None = None
    account_number: AccountNumber = None

    @property
    def account(self) -> BankAccount | None:
        """Returns the account, if one is given."""
        if self.iban is self.bic is self.account_number is None:
            return None
        return BankAccount(iban=self.iban, bic=self.bic, number=self.account_number)


_DERIVED = "the mailbox's id is derived from the address: leave it out"


class WithMailbox(Command):
    """A command with the address of a mailbox, which one partner at most has."""

    model_config = ConfigDict(json_schema_extra={RULES: [_DERIVED]})

    email: SensitiveMailbox = None
    mailbox_id: UUID | None = Field(
        default_factory=lambda given: None if given["email"] is None else mailbox_id_of(given["email"]),
        description="Derived from the address; need not be given.",
    )

    @model_validator(mode="after")
    def _is_that_of_the_address(self) -> Self:
        if self.email is None or not is_encrypted(self.email):
            derived = None if self.email is None else mailbox_id_of(self.email)
            if self.mailbox_id != derived:
                raise ValueError(_DERIVED)
        return self


class Profile(Part):
    """A partner's own data, which compliance checks."""

    name: Name
    type: PartnerType = "CORPORATE"
    tax_id: TaxId | None = None


Cents = Annotated[int, Field(ge=0)]


CommissionModel = Literal["CPA", "CPL", "CPC", "REVSHARE", "FIXED"]


class Amount(Part):
    """An amount of money."""

    cents: Cents
    currency: Currency


Rule = Literal["tax_id", "bank_account", "sanctions", "amount", "currency"]
"""A rule of compliance."""


class RuleVerdict(Part):
    """The verdict of one rule of compliance."""

    rule: Rule
    passed: bool
    detail: str


ProgramStatus = Literal["draft", "active", "suspended", "closed"]
ProgramType = Literal["AFFILIATES", "INFLUENCERS", "ADVOCACY", "SAAS"]
ProgramModel = Literal["CPA", "CPL", "CPC"]
AffiliationStatus = Literal["pending", "active", "suspended", "ended"]


class ProgramTerms(Part):
    """The payment of a programme for an action, a lead or a click, and its cap."""

    model: ProgramModel
    currency: Currency
    base_rate_cents: Cents
    cap_cents: Cents | None = None


class Affiliation(Part):
    """The affiliation of a partner to a programme."""

    affiliation_id: UUID | None = Field(
        default=None, description="Unset: derived from the programme and the place in its list."
    )
    affiliate_id: Identifier
    status: AffiliationStatus = "pending"
    joined_on: date | None = None
    left_on: date | None = None


class ProgramDetails(Part):
    """A programme of a brand."""

    status: ProgramStatus = "draft"
    type: ProgramType
    brand_id: Identifier
    starts_on: date
    ends_on: date | None = None
    terms: ProgramTerms
    affiliations: Annotated[tuple[Affiliation, ...], Field(max_length=1000)] = ()
