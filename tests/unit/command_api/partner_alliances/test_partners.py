"""Partners: a contract by hand is made only with a partner that exists."""

from datetime import date
from uuid import UUID

import pytest

from aggregates.partner_alliances.partner import INTEGRATION, PARTNER
from command_api.partner_alliances.partners import check_partner, find_partner
from schemas.errors import Rejected
from schemas.partner_alliances.contracts import CreateContract
from schemas.partner_alliances.partners import RecordRevocation, RevokeIntegration
from schemas.partner_alliances.rejections import IntegrationNotFound
from tests.unit.command_api.activity_context import context_of, sent

CREATE = CreateContract(partner_id=UUID(int=1), starts_on=date(2026, 1, 1))
THERE = PARTNER.initial.replace(temporary_id=UUID(int=2))


async def test_a_contract_with_a_partner_is_decided_unchanged() -> None:
    assert await check_partner(sent(CREATE), context_of(partner=THERE)) == CREATE


async def test_a_contract_needs_a_partner_that_is_not_withdrawn() -> None:
    with pytest.raises(Rejected, match=f"{UUID(int=1)} does not exist"):
        await check_partner(sent(CREATE), context_of())
    for end in ("withdrawn", "deleted"):
        with pytest.raises(Rejected, match=f"{UUID(int=1)} is {end}"):
            await check_partner(sent(CREATE), context_of(partner=THERE.replace(end=end)))


async def test_the_partner_of_an_integration_is_found() -> None:
    revoke = RevokeIntegration(integration_id=UUID(int=3), reason="old")
    integration = INTEGRATION.initial.replace(partner_id=UUID(int=1))

    found = await find_partner(sent(revoke), context_of(integration=integration))

    assert found == RecordRevocation(integration_id=UUID(int=3), partner_id=UUID(int=1), reason="old")
    with pytest.raises(IntegrationNotFound):
        await find_partner(sent(revoke), context_of())
