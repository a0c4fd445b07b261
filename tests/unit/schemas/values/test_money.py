"""Amounts of money."""

import pytest

from schemas.values.money import cents_of


@pytest.mark.parametrize(
    ("amount", "cents"), [(0, 0), (1000, 100_000), (0.29, 29), (10.05, 1005), (0.125, 12), (1.005, 100), (10**12, 10**14)]
)
def test_an_amount_is_rounded_to_cents(amount: float, cents: int) -> None:
    assert cents_of(amount) == cents
