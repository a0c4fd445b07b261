"""Parts of messages that several contexts of the health subscriptions use."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.sensitive import Encrypted, Sensitive
from schemas.values.money import Currency
from schemas.values.names import NaturalKey, caseless
from schemas.values.text import PLAIN, without_control_characters

_IDS = UUID("0f0b7a52-2a3c-5c7f-9a61-3f7d2f6f5b10")


def customer_id_of(code: str) -> UUID:
    """Returns the id of the customer with a code, in any spelling of it. The customer is the data subject."""
    return uuid5(_IDS, f"customer/{caseless(code)}")


def expert_id_of(code: str) -> UUID:
    """Returns the id of the expert with a code, in any spelling of it. The expert is a data subject."""
    return uuid5(_IDS, f"expert/{caseless(code)}")


def data_service_id_of(subscription_id: UUID) -> UUID:
    """Returns the id of the data service that a subscription gets."""
    return uuid5(_IDS, f"data-service/{subscription_id}")


class Part(BaseModel):
    """A part of a message; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Code = NaturalKey
"""The code that people gave to something."""
Label = Annotated[str, StringConstraints(max_length=200), AfterValidator(without_control_characters), PLAIN]
Reason = Annotated[str, StringConstraints(max_length=2000), AfterValidator(without_control_characters), PLAIN]
PersonalText = Annotated[str, Sensitive(max_length=200)]
Cents = Annotated[int, Field(gt=0, le=10**14)]


class Plan(Part):
    """A plan by its code and its name; both may be empty, which no subscription allows."""

    code: Label = ""
    name: Label = ""

    @property
    def is_chosen(self) -> bool:
        """Whether it names a plan."""
        return bool(self.code.strip() or self.name.strip())


class Money(Part):
    """An amount of money."""

    cents: Cents
    currency: Currency


class Invoice(Part):
    """An invoice with its payment."""

    invoice_id: UUID
    total: Money
    created_at: datetime
    method_name: Label
    method_ending: Label = Field(description="The last characters of the number of the card or account.")


class Customer(Part):
    """A customer; all but the code is encrypted."""

    code: str
    first_names: Encrypted
    last_names: Encrypted
    username: Encrypted
    tax_id: Encrypted
    national_id: Encrypted
    email: Encrypted
