"""Requests for partners in their clients' form, each with an unused tax number."""

from typing import Any
from uuid import uuid4

IBAN = "ES9121000418450200051332"


def tax_number() -> str:
    """Returns an unused Spanish tax number: seven digits and their check digit."""
    digits = f"{uuid4().int % 10**7:07}"
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(digits)]
    total = sum(number // 10 + number % 10 for number in doubled)
    return f"B{digits}{-total % 10}"


def partner(**changes: Any) -> dict[str, Any]:
    return {
        "nombre": "Partner ABC",
        "tipo": "CORPORATIVO",
        "identificacion_fiscal": {"pais": "ES", "numero": tax_number()},
        "cuenta_bancaria": {"iban": IBAN},
        **changes,
    }
