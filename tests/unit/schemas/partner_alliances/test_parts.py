"""Parts that several contexts of the partner alliances use."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.partner_alliances.parts import BankAccount, Name, Product, TaxId, WithAccount

NAME: TypeAdapter[str] = TypeAdapter(Name)
PRODUCT: TypeAdapter[str] = TypeAdapter(Product)


class PaySomebody(WithAccount):
    pass


def test_an_account_is_there_if_any_part_of_it_is_given() -> None:
    assert PaySomebody().account is None
    assert PaySomebody(bic="DEUTDEFF").account == BankAccount(bic="DEUTDEFF")
    assert PaySomebody(iban="ES91", account_number="1").account == BankAccount(iban="ES91", number="1")


def test_a_name_is_stripped_and_one_line() -> None:
    assert NAME.validate_python("  Partner ABC ") == "Partner ABC"
    for wrong in ("", "   ", "a\nb", "x" * 201):
        with pytest.raises(ValidationError):
            NAME.validate_python(wrong)


@pytest.mark.parametrize("product", ["affiliation", "1ST", "A-B", "", "A" * 51])
def test_a_product_is_named_in_capitals(product: str) -> None:
    assert PRODUCT.validate_python("REFERRAL_2") == "REFERRAL_2"
    with pytest.raises(ValidationError):
        PRODUCT.validate_python(product)


@pytest.mark.parametrize(("country", "number"), [("es", "1"), ("ESP", "1"), ("E", "1"), ("ES", " "), ("ES", "1" * 51)])
def test_a_tax_number_has_a_country_code_and_a_number(country: str, number: str) -> None:
    assert TaxId(country="ES", number=" B1 ").number == "B1"
    with pytest.raises(ValidationError):
        TaxId(country=country, number=number)
