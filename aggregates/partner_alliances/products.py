"""Products: the kinds of alliance, and the terms of a contract of each. An extension point.

A package of your own adds a kind by an entry point of the group ``caudal.partner_alliances.products`` that names a `Product`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import Misconfigured, Rejected
from schemas.values.storable import check_storable

Percent = Annotated[float, Field(ge=0, le=100)]


class Terms(BaseModel):
    """The terms of a contract; unknown ones are rejected, and those that cannot be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        check_storable(self)
        return self


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of alliance."""

    name: str
    terms: type[Terms]


class AffiliationTerms(Terms):
    """A share of every sale that a partner's link led to."""

    commission_percent: Percent = 5
    cookie_days: Annotated[int, Field(ge=1, le=365)] = 30


class ReferralTerms(Terms):
    """A fixed amount for every customer that a partner brings."""

    amount_cents: Annotated[int, Field(ge=0)] = 1000
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"


class InfluencerTerms(Terms):
    """An amount for every publication."""

    fee_cents: Annotated[int, Field(ge=0)] = 0
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    publications: Annotated[int, Field(ge=1)] = 1


BUILT_IN = (
    Product("AFFILIATION", AffiliationTerms),
    Product("REFERRAL", ReferralTerms),
    Product("INFLUENCER", InfluencerTerms),
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

    def agreed(self, product: str, terms: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the terms of a contract in full, defaults included; raises `Rejected` if they do not fit the product."""
        if product not in self.by_name:
            raise Rejected(f"there is no product {product}; there are {', '.join(sorted(self.by_name))}")
        try:
            return self.by_name[product].terms.model_validate(terms).model_dump(mode="json")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "terms"
            raise Rejected(f"the terms do not fit {product}: {where}: {first['msg']}") from None
