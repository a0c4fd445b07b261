"""Partners as their clients ask for them, each with a tax number that nobody has had yet."""

from typing import Any
from uuid import uuid4

IBAN = "ES9121000418450200051332"


def tax_number() -> str:
    """A Spanish one that nobody has had yet: seven digits and the one that checks them."""
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
