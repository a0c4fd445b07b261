"""Parts that several contexts of the partner alliances use."""

from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.partner_alliances.parts import (
    BankAccount,
    Name,
    Product,
    SensitiveObject,
    TaxId,
    WithAccount,
    WithMailbox,
    contract_id_of,
    mailbox_id_of,
    partner_id_of,
)
from schemas.sensitive import MARK

NAME: TypeAdapter[str] = TypeAdapter(Name)
PRODUCT: TypeAdapter[str] = TypeAdapter(Product)
OBJECT: TypeAdapter[str | None] = TypeAdapter(SensitiveObject)


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


def test_a_mailbox_is_one_in_small_and_capital_characters() -> None:
    command = WithMailbox(email="Jose@Example.org")

    assert command.mailbox_id == mailbox_id_of("jose@example.org") != mailbox_id_of("eva@example.org")
    assert WithMailbox().mailbox_id is None
    assert WithMailbox(email=f"{MARK}x:y", mailbox_id=command.mailbox_id).mailbox_id == command.mailbox_id
    for email in ("jose@example.org", None):
        with pytest.raises(ValidationError, match="derived from the address"):
            WithMailbox(email=email, mailbox_id=UUID(int=1))


@pytest.mark.parametrize("text", ["{}", '{"a":[1]}', f"{MARK}x:y", None])
def test_an_object_is_kept_as_its_text(text: str | None) -> None:
    assert OBJECT.validate_python(text) == text


@pytest.mark.parametrize("text", ["", "x", "[]", '{"a":NaN}', '{"a":' * 300 + "1" + "}" * 300, '{"a":"' + "x" * 20_000 + '"}'])
def test_what_is_no_object_or_too_large_is_invalid(text: str) -> None:
    with pytest.raises(ValidationError):
        OBJECT.validate_python(text)


def test_a_request_leads_to_one_partner_and_one_contract() -> None:
    ids = {make(UUID(int=n)) for make in (partner_id_of, contract_id_of) for n in (1, 2)}

    assert len(ids) == 4
    assert partner_id_of(UUID(int=1)) in ids
