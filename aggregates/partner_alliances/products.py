"""Products: the kinds of alliance, and what a contract of each has to agree on. An extension point.

A package of your own adds a kind by an entry point of the group ``caudal.partner_alliances.products`` that names a `Product`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.catalog import registered
from schemas.errors import Misconfigured, Rejected

Percent = Annotated[float, Field(ge=0, le=100)]


class Terms(BaseModel):
    """What a contract agrees on; unknown terms are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


@cache
def installed() -> Mapping[str, Product]:
    """Every kind of alliance, by its name; raises `Misconfigured` where two have the same one."""
    found = {product.name: product for product in BUILT_IN}
    for entry_point, product in registered("caudal.partner_alliances.products"):
        if product.name in found:
            raise Misconfigured(
                f"the entry point {entry_point!r} registers the product {product.name!r}, which there is already"
            )
        found[product.name] = product
    return found


def agreed(product: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of a contract in full, defaults included; raises `Rejected` where they are not what the product asks for."""
    known = installed()
    if product not in known:
        raise Rejected(f"there is no product {product}; there are {', '.join(sorted(known))}")
    try:
        return known[product].terms.model_validate(terms).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "terms"
        raise Rejected(f"the terms are not those of {product}: {where}: {first['msg']}") from None
