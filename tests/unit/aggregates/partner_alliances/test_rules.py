"""Rules: what each says of tax numbers, accounts and names."""

import pytest

from aggregates.partner_alliances import rules
from schemas.partner_alliances.parts import TaxId
from tests.unit.aggregates.partner_alliances.agreed import SOUND


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [("DE", "DE 136,695 976", "136695976"), ("ES", "ESB58378431", "b-58378431"), ("ZZ", "a 1", "A1")],
)
def test_a_tax_number_is_one_however_it_is_written(country: str, one: str, other: str) -> None:
    assert rules.compact(TaxId(country=country, number=one)) == rules.compact(TaxId(country=country, number=other))


@pytest.mark.parametrize(
    ("iban", "bic", "number", "found"),
    [
        ("ES91 2100 0418 4502 0005 1332", None, None, (True, "a well-formed IBAN of ES")),
        ("ES9121000418450200051333", None, None, (False, "the IBAN is not well-formed")),
        (None, "DEUTDEFF", "1", (True, "DEUTDEFF is a well-formed BIC")),
        (None, "NOPE", "1", (False, "the BIC is not well-formed")),
        (None, None, "1", (False, "neither an IBAN")),
        (None, None, None, (False, "no bank account is given")),
    ],
)
def test_a_verdict_on_an_account_does_not_show_it(
    iban: str | None, bic: str | None, number: str | None, found: tuple[bool, str]
) -> None:
    verdict = rules.account_verdict(iban, bic, number)
    assert (verdict.rule, verdict.passed) == ("bank_account", found[0])
    assert verdict.detail.startswith(found[1])
    assert "21000418" not in verdict.detail


@pytest.mark.parametrize(
    ("country", "number"), [("CO", "213.123.432-1"), ("US", "04-2103594"), ("MX", "GODE561231GR8"), ("DE", "136 695 976")]
)
def test_tax_numbers_of_many_countries_are_known(country: str, number: str) -> None:
    assert rules.tax_id(TaxId(country=country, number=number))[0]


def test_a_name_is_compared_without_accents_case_and_signs() -> None:
    assert rules.prepared("  Iván  PETRÓV-Gómez, S.L. ") == "ivan petrov gomez s l"


@pytest.mark.parametrize(
    ("name", "kept", "found"),
    [
        ("Nobody Else", True, "not similar to any of 2 names"),
        ("Petrov Ivan", False, "100 % similar to 'ivan petrov', which is on the list"),
        ("Ivan Petrof", False, "similar to 'ivan petrov', which is on the list"),
    ],
)
def test_a_name_counts_as_a_sanctioned_one_if_it_is_similar(name: str, kept: bool, found: str) -> None:
    verdict = rules.sanctions(name, ["ivan petrov", "evil corp"])

    assert verdict[0] == kept
    assert found in verdict[1]


def test_every_rule_gives_a_verdict_and_the_accounts_is_the_one_that_is_given() -> None:
    account = rules.account_verdict(None, None, None)

    assert [(one.rule, one.passed) for one in rules.verdicts(SOUND, account, [])] == [
        ("tax_id", True),
        ("bank_account", False),
        ("sanctions", True),
    ]
