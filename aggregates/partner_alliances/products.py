"""Products: the kinds of alliance, and the terms of a contract of each. An extension point.

A package of your own adds a kind by an entry point of the group ``caudal.partner_alliances.products`` that names a `Product`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import Misconfigured
from schemas.partner_alliances.parts import Amount, Cents, CommissionModel, Note
from schemas.partner_alliances.rejections import NoSuchProduct, TermsDoNotFit
from schemas.values.money import Currency
from schemas.values.storable import check_storable

Percent = Annotated[float, Field(ge=0, le=100)]


class Terms(BaseModel):
    """The terms of a contract; unknown ones are rejected, and those that cannot be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        check_storable(self)
        return self

    @property
    def amount(self) -> Amount | None:
        """The amount of the contract; ``None`` if its terms name no amount."""
        return None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits within which compliance approves the contracts of a product that have an amount."""

    max_cents: int = 5_000_000
    review_from_cents: int = 1_000_001
    """From here on an officer decides."""
    currencies: tuple[str, ...] = ("USD", "EUR", "COP", "MXN")


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of alliance."""

    name: str
    terms: type[Terms]
    limits: Limits = Limits()


class Agreed(NamedTuple):
    """The terms of a contract in full."""

    terms: dict[str, Any]
    amount: Amount | None


class AffiliationTerms(Terms):
    """A share of every sale that a partner's link led to."""

    commission_percent: Percent = 5
    cookie_days: Annotated[int, Field(ge=1, le=365)] = 30


class ReferralTerms(Terms):
    """A fixed amount for every customer that a partner brings."""

    amount_cents: Cents = 1000
    currency: Currency = "USD"

    @property
    def amount(self) -> Amount:
        return Amount(cents=self.amount_cents, currency=self.currency)


class InfluencerTerms(Terms):
    """An amount for every publication."""

    fee_cents: Cents = 0
    currency: Currency = "USD"
    publications: Annotated[int, Field(ge=1)] = 1

    @property
    def amount(self) -> Amount:
        return Amount(cents=self.fee_cents * self.publications, currency=self.currency)


class CommissionTerms(Terms):
    """A commission by its model: per action, lead or click, a share of revenue, or a fixed amount."""

    model: CommissionModel
    amount_cents: Cents | None = None
    currency: Currency = "USD"
    conditions: Note = ""

    @property
    def amount(self) -> Amount | None:
        return None if self.amount_cents is None else Amount(cents=self.amount_cents, currency=self.currency)


BUILT_IN = (
    Product("AFFILIATION", AffiliationTerms),
    Product("REFERRAL", ReferralTerms),
    Product("INFLUENCER", InfluencerTerms),
    Product("COMMISSION", CommissionTerms),
)


@dataclass(frozen=True, slots=True)
class Products:
    """The kinds of alliance that are installed, by name."""

    by_name: Mapping[str, Product]

    @classmethod
    def of(cls, further: Mapping[str, Product]) -> "Products":
        """Returns the built-in kinds and further ones, by their entry points; raises `Misconfigured` for a name used twice."""
        found = {product.name: product for product in BUILT_IN}
        for entry_point, product in further.items():
            if product.name in found:
                raise Misconfigured(
                    f"the entry point {entry_point!r} registers the product {product.name!r}, which exists already"
                )
            found[product.name] = product
        return cls(found)

    def limits(self, product: str) -> Limits:
        """Returns the limits of a product; those of a product that is no longer installed are the usual ones."""
        return self.by_name[product].limits if product in self.by_name else Limits()

    def agreed(self, product: str, terms: Mapping[str, Any]) -> Agreed:
        """Returns the terms of a contract, defaults included; raises `NoSuchProduct` or `TermsDoNotFit`."""
        if product not in self.by_name:
            raise NoSuchProduct(f"there is no product {product}; there are {', '.join(sorted(self.by_name))}")
        try:
            found = self.by_name[product].terms.model_validate(terms)
            return Agreed(found.model_dump(mode="json"), found.amount)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "terms"
            raise TermsDoNotFit(f"the terms do not fit {product}: {where}: {first['msg']}") from None
