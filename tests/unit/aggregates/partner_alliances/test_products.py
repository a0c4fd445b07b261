"""Products: the terms of contracts of each kind."""

import pytest

from aggregates.partner_alliances.products import Limits, Product, Products, Terms
from schemas.errors import Misconfigured, Rejected
from schemas.partner_alliances.parts import Amount


def test_a_products_terms_are_complete_and_nothing_else() -> None:
    assert Products.of({}).agreed("REFERRAL", {"amount_cents": 5}).terms == {"amount_cents": 5, "currency": "USD"}
    with pytest.raises(Rejected, match="surprise"):
        Products.of({}).agreed("REFERRAL", {"surprise": 1})


class RaffleTerms(Terms):
    tickets: int = 1


RAFFLE = Product("RAFFLE", RaffleTerms)


def test_a_further_product_is_agreed_like_a_built_in_one() -> None:
    products = Products.of({"raffle": RAFFLE})

    assert products.agreed("RAFFLE", {"tickets": 3}) == ({"tickets": 3}, None)
    with pytest.raises(
        Rejected, match="there is no product LOTTERY; there are AFFILIATION, COMMISSION, INFLUENCER, RAFFLE, REFERRAL"
    ):
        products.agreed("LOTTERY", {})


def test_a_product_cannot_take_the_name_of_another() -> None:
    with pytest.raises(Misconfigured, match="the entry point 'own' registers the product 'REFERRAL', which exists already"):
        Products.of({"own": Product("REFERRAL", RaffleTerms)})


@pytest.mark.parametrize(
    ("product", "terms", "where"),
    [
        ("AFFILIATION", {"commission_percent": 101}, "commission_percent"),
        ("AFFILIATION", {"cookie_days": 0}, "cookie_days"),
        ("REFERRAL", {"currency": "usd"}, "currency"),
        ("INFLUENCER", {"publications": 0}, "publications"),
    ],
)
def test_terms_that_do_not_fit_are_named(product: str, terms: dict[str, object], where: str) -> None:
    with pytest.raises(Rejected, match=f"the terms do not fit {product}: {where}: "):
        Products.of({}).agreed(product, terms)


@pytest.mark.parametrize(
    ("product", "terms"),
    [
        ("REFERRAL", {"amount_cents": "9" * 20}),
        ("INFLUENCER", {"fee_cents": "9" * 4000}),
        ("INFLUENCER", {"publications": "9223372036854775808"}),
        ("RAFFLE", {"tickets": "-9223372036854775809"}),
    ],
)
def test_terms_that_cannot_be_stored_are_named(product: str, terms: dict[str, object]) -> None:
    why = f"the terms do not fit {product}: {next(iter(terms))}: is a number out of range: integers have 64 bits"
    with pytest.raises(Rejected, match=why):
        Products.of({"raffle": RAFFLE}).agreed(product, terms)


@pytest.mark.parametrize(
    ("product", "terms", "amount"),
    [
        ("AFFILIATION", {}, None),
        ("REFERRAL", {"amount_cents": 5, "currency": "EUR"}, Amount(cents=5, currency="EUR")),
        ("INFLUENCER", {"fee_cents": 5, "publications": 3}, Amount(cents=15, currency="USD")),
        ("COMMISSION", {"model": "CPA", "amount_cents": 5, "currency": "COP"}, Amount(cents=5, currency="COP")),
        ("COMMISSION", {"model": "REVSHARE"}, None),
    ],
)
def test_a_contract_has_the_amount_that_its_terms_name(product: str, terms: dict[str, object], amount: Amount | None) -> None:
    assert Products.of({}).agreed(product, terms).amount == amount


def test_a_product_has_limits_of_its_own_or_the_usual_ones() -> None:
    own = Limits(max_cents=1)
    products = Products.of({"raffle": Product("RAFFLE", RaffleTerms, own)})

    assert products.limits("RAFFLE") == own
    assert products.limits("REFERRAL") == products.limits("NO_LONGER_INSTALLED") == Limits()
