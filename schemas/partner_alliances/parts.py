"""What several contexts of the partner alliances speak of."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.message import Command
from schemas.sensitive import Encrypted, Sensitive
from schemas.text import without_control_characters

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(without_control_characters)
]
Note = Annotated[str, StringConstraints(max_length=2000), AfterValidator(without_control_characters)]
Product = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")]
"""A kind of alliance that partners are contracted for; which there are is an extension point of the contracts."""

PartnerType = Literal["CORPORATE", "INDIVIDUAL", "STARTUP", "AGENCY", "NON_PROFIT"]


class Part(BaseModel):
    """A piece of a message; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaxId(Part):
    """What a country's tax office knows somebody by."""

    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = Field(description="ISO 3166-1 alpha-2.")
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


Bic = Annotated[str, StringConstraints(max_length=20)]
"""Which bank it is (ISO 9362)."""


class BankAccount(Part):
    """Where somebody is paid: an IBAN, or the bank's BIC and the account's number there."""

    iban: Encrypted = None
    bic: Bic | None = None
    number: Encrypted = None


class WithAccount(Command):
    """A command that says where somebody is paid, encrypted for its subject."""

    iban: Annotated[str | None, Sensitive(max_length=50)] = None
    bic: Bic | None = None
    account_number: Annotated[str | None, Sensitive(max_length=50)] = None

    @property
    def account(self) -> BankAccount | None:
        """The account, where one is given."""
        if self.iban is self.bic is self.account_number is None:
            return None
        return BankAccount(iban=self.iban, bic=self.bic, number=self.account_number)


class Profile(Part):
    """What a partner says of itself, and compliance and the tax office know it by."""

    name: Name
    type: PartnerType
    tax_id: TaxId | None = None


class RuleVerdict(Part):
    """What one rule of compliance says."""

    rule: Literal["tax_id", "bank_account", "sanctions"]
    passed: bool
    detail: str
