"""Money: amounts in the smallest unit of a currency, which clients write with decimals."""

from typing import Annotated

from pydantic import Field

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["COP"])]
"""ISO 4217."""


def cents_of(amount: float) -> int:
    """Returns an amount in cents, rounded to the nearest."""
    return round(amount * 100)
