"""Assessing: bank accounts are checked in the clear, and only the verdict is decided on."""

import pytest

from command_api.partner_alliances.assessing import validate
from schemas.partner_alliances.compliance import ValidatePartner
from schemas.partner_alliances.parts import Profile
from tests.unit.command_api.activity_context import context_of, sent

PROFILE = Profile(name="Partner ABC", type="CORPORATE")
IBAN = "ES9121000418450200051332"


@pytest.mark.parametrize(
    ("iban", "passed", "detail"),
    [
        (f"secret:{IBAN}", True, "a well-formed IBAN of ES"),
        (f"secret:{IBAN[:-1]}3", False, "the IBAN is not well-formed"),
        (f"erased:{IBAN}", False, "no bank account is given"),
        (None, False, "no bank account is given"),
    ],
)
async def test_an_account_is_decrypted_and_judged(iban: str | None, passed: bool, detail: str) -> None:
    found = await validate(sent(ValidatePartner(profile=PROFILE, iban=iban)), context_of())

    assert (found.profile, found.account.passed) == (PROFILE, passed)
    assert found.account.detail.startswith(detail)
    assert IBAN not in found.model_dump_json()
