"""Parts of messages that several contexts of the partner alliances use."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.message import Command
from schemas.sensitive import Encrypted, Sensitive
from schemas.values.text import NOT_BLANK, PLAIN, PLAIN_INSIDE, without_control_characters

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(without_control_characters),
    PLAIN_INSIDE,
]
Note = Annotated[str, StringConstraints(max_length=2000), AfterValidator(without_control_characters), PLAIN]
Product = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")]
"""A kind of alliance that a contract is about. Packages may add kinds."""

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


class Profile(Part):
    """A partner's own data, which compliance checks."""

    name: Name
    type: PartnerType
    tax_id: TaxId | None = None


class RuleVerdict(Part):
    """The verdict of one rule of compliance."""

    rule: Literal["tax_id", "bank_account", "sanctions"]
    passed: bool
    detail: str
