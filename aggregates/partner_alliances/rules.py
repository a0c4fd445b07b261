"""The rules of compliance: each checks one property of a partner and returns a verdict."""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import stdnum.bic
import stdnum.iban
from rapidfuzz import fuzz, process
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from aggregates.partner_alliances.products import Limits
from schemas.partner_alliances.parts import Amount, Profile, RuleVerdict, TaxId

SIMILAR_PERCENT = 90
"""Names of this similarity or more count as equal to one on the sanction list; the order of words makes no difference."""

_KINDS = ("vat", "tin", "ein")
_AFFIXES = {"CH": re.compile("(MWST|TVA|IVA|TPV)$"), "RO": re.compile("^RO")}
"""By country: the part of a tax number that may be written or left out, or written in several languages."""
_COUNTING = frozenset({"CO", "ID", "IS", "NZ", "PY", "SN"})
"""Countries whose tax numbers are valid with any number of leading zeros. In others a zero makes another number."""


Finding = tuple[bool, str]
"""Whether a rule is met, and why."""


def verdicts(profile: Profile, account: RuleVerdict, sanctioned: Sequence[str] | None) -> list[RuleVerdict]:
    """Returns the verdict of each rule. ``sanctioned`` are `prepared` names; ``None`` if no list is in force."""
    return [
        _verdict("tax_id", tax_id(profile.tax_id)),
        account,
        _verdict("sanctions", sanctions(profile.name, sanctioned)),
    ]


def amount_verdicts(amount: Amount, limits: Limits) -> list[RuleVerdict]:
    """Returns the verdicts on the amount of a contract, and on its currency."""
    return [_verdict("amount", _amount(amount.cents, limits)), _verdict("currency", _currency(amount.currency, limits))]


def _amount(cents: int, limits: Limits) -> Finding:
    if cents > limits.max_cents:
        return False, f"{_plain(cents)} exceeds the limit of {_plain(limits.max_cents)}"
    if cents >= limits.review_from_cents:
        return False, f"{_plain(cents)} needs an officer's decision, from {_plain(limits.review_from_cents)} on"
    return True, f"{_plain(cents)} is within the limit"


def _currency(currency: str, limits: Limits) -> Finding:
    if currency not in limits.currencies:
        return False, f"{currency} is not one of {', '.join(limits.currencies)}"
    return True, f"{currency} is allowed"


def _plain(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def account_verdict(iban: str | None, bic: str | None, number: str | None) -> RuleVerdict:
    """Returns the verdict on a bank account in plain text; it holds no part of the account."""
    return _verdict("bank_account", bank_account(iban, bic, number))


def tax_id(given: TaxId | None) -> Finding:
    """Checks the form and the check digits of a tax number."""
    if given is None:
        return False, "no tax number is given"
    module = _module(given.country)
    if module is None:
        return False, f"the form of tax numbers of {given.country} is not known"
    try:
        return True, f"{module.validate(_with_plain_digits(given.number))} is well-formed"
    except ValidationError as error:
        return False, f"the tax number is not one of {given.country}: {error}"


def compact(given: TaxId) -> str:
    """Returns a tax number in its shortest form, which is the same for every way of writing it: ``ES-B58378431``.

    It has no signs, no prefix or suffix that may be omitted in its country, and no leading zeros in a country that counts
    without them.
    """
    module, number = _module(given.country), _with_plain_digits(given.number)
    if module is not None:
        with suppress(ValidationError):
            number = module.compact(number)
    number = "".join(character for character in number.upper() if character.isalnum())
    if (affix := _AFFIXES.get(given.country)) is not None:
        number = affix.sub("", number)
    if given.country in _COUNTING:
        number = number.lstrip("0")
    return f"{given.country}-{number}"


def bank_account(iban: str | None, bic: str | None, number: str | None) -> Finding:
    """Checks a bank account: the check digits of an IBAN, or the form of a BIC with an account number."""
    if iban is bic is number is None:
        return False, "no bank account is given"
    try:
        if iban is not None:
            return True, f"a well-formed IBAN of {stdnum.iban.validate(iban)[:2]}"
        if bic is None or number is None:
            return False, "neither an IBAN is given, nor a BIC with the account's number"
        return True, f"{stdnum.bic.validate(bic)} is a well-formed BIC"
    except ValidationError as error:
        return False, f"the {'IBAN' if iban is not None else 'BIC'} is not well-formed: {error}"


def sanctions(name: str, sanctioned: Sequence[str] | None) -> Finding:
    """Checks that a name is not similar to one on the list."""
    if sanctioned is None:
        return False, "no sanction list has been published"
    found = process.extractOne(prepared(name), sanctioned, scorer=fuzz.token_sort_ratio, score_cutoff=SIMILAR_PERCENT)
    if found is None:
        return True, f"not similar to any of {len(sanctioned)} names"
    return False, f"{found[1]:.0f} % similar to {found[0]!r}, which is on the list"


def prepared(name: str) -> str:
    """Returns a name in its form for comparison: in lower case, without accents and punctuation."""
    plain = "".join(
        character for character in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(character)
    )
    return " ".join("".join(character if character.isalnum() else " " for character in plain).split())


def _with_plain_digits(text: str) -> str:
    """Returns a text in NFKC with the digits 0 to 9 in place of those of other scripts."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(character, character)) for character in plain)


def _module(country: str) -> Any:
    """Returns the module that checks a country's tax numbers; ``None`` if there is none."""
    return next((found for kind in _KINDS if (found := get_cc_module(country, kind)) is not None), None)


def _verdict(rule: str, found: Finding) -> RuleVerdict:
    return RuleVerdict(rule=rule, passed=found[0], detail=found[1])
