"""Rules: what each says of tax numbers, accounts and names."""

import doctest
import pkgutil
import re
from collections.abc import Iterator

import pytest
import stdnum

from aggregates.partner_alliances import rules
from aggregates.partner_alliances.products import Limits
from schemas.partner_alliances.parts import Amount, TaxId
from tests.unit.aggregates.partner_alliances.agreed import SOUND


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("DE", "DE 136,695 976", "136695976"),
        ("ES", "ESB58378431", "b-58378431"),
        ("ZZ", "a 1", "A1"),
        ("ZZ", "\uff11\uff12", "12"),
        ("ZZ", "\u0661\u0662", "12"),
        ("RO", "RO 18547290", "18 547 290"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577MWST"),
        ("CH", "CHE-107.787.577 TVA", "CHE-107.787.577 TPV"),
        ("NZ", "049091850", "4909185-0"),
        ("PY", "0026603", "2660-3"),
        ("CO", "00213.123.432-1", "2131234321"),
        ("ID", "0013121660091000", "01.312.166.0-091.000"),
        ("IS", "000621", "IS 00621"),
        ("SN", "003067221", "306 7221"),
    ],
)
def test_a_tax_number_is_one_however_it_is_written(country: str, one: str, other: str) -> None:
    assert rules.compact(TaxId(country=country, number=one)) == rules.compact(TaxId(country=country, number=other))


def spellings(number: str, country: str) -> Iterator[str]:
    """Ways of writing a number; some of them are those of another number, or of none."""
    yield from (f"{country}{number}", f"{country} {number}", number.removeprefix(country), f"0{number}", f"00{number}")
    yield from (number.lower(), number.lstrip("0"), " ".join(number), "-".join(number), number.replace(".", ""))
    yield "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in number)  # full width
    yield "".join(chr(ord(sign) + 0x630) if "0" <= sign <= "9" else sign for sign in number)  # Arabic digits
    bare = re.sub("(MWST|TVA|IVA|TPV)$", "", number)
    yield from (f"{bare}{suffix}" for suffix in ("", "MWST", "TVA", " IVA", " TPV"))


def well_formed(country: str) -> Iterator[str]:
    """The numbers in the examples of the library's module for a country."""
    examples = doctest.DocTestParser().get_examples(getattr(rules._module(country), "__doc__", None) or "")
    for number in {found for example in examples for found in re.findall(r"\('([^']+)'", example.source)}:
        if rules.tax_id(TaxId(country=country, number=number))[0]:
            yield number


def test_every_well_formed_spelling_of_a_number_in_the_librarys_examples_is_that_number() -> None:
    countries = {module.name.rstrip("_").upper() for module in pkgutil.iter_modules(stdnum.__path__) if module.ispkg}
    numbers = [(country, number) for country in countries if len(country) == 2 for number in well_formed(country)]
    assert len(numbers) > 150

    others = set()
    for country, number in numbers:
        key = rules.compact(TaxId(country=country, number=number))
        for spelling in spellings(number, country):
            spelt = TaxId(country=country, number=spelling) if len(spelling) <= 50 else None
            if spelt is not None and rules.tax_id(spelt)[0] and rules.compact(spelt) != key:
                others.add((country, rules.compact(spelt)))

    # A Czech person's number of nine digits, and Mexican persons with these last signs: other numbers, no other spellings.
    assert others == {("CZ", "CZ-025123891"), *(("MX", f"MX-COMG600703{end}") for end in ("IVA", "TPV", "TVA"))}


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


LIMITS = Limits(max_cents=5_000_000, review_from_cents=1_000_001, currencies=("USD", "COP"))


@pytest.mark.parametrize(
    ("cents", "currency", "met"),
    [
        (0, "USD", (True, True)),
        (1_000_000, "COP", (True, True)),
        (1_000_001, "USD", (False, True)),
        (5_000_000, "USD", (False, True)),
        (5_000_001, "EUR", (False, False)),
    ],
)
def test_an_amount_is_within_the_limits_of_its_product(cents: int, currency: str, met: tuple[bool, bool]) -> None:
    amount, money = rules.amount_verdicts(Amount(cents=cents, currency=currency), LIMITS)

    assert ((amount.rule, amount.passed), (money.rule, money.passed)) == (("amount", met[0]), ("currency", met[1]))


def test_an_amount_beyond_the_limit_is_no_officers_decision() -> None:
    review, beyond = (rules.amount_verdicts(Amount(cents=cents, currency="USD"), LIMITS)[0] for cents in (1_000_001, 5_000_001))

    assert review.detail == "10000.01 needs an officer's decision, from 10000.01 on"
    assert beyond.detail == "50000.01 exceeds the limit of 50000.00"
