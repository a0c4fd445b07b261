"""A partner: what its events add up to, and who has a mailbox."""

import pytest

from aggregates.partner_alliances.partner import MAILBOX, PARTNER, Partner, claim_mailbox, tax_number_of
from aggregates.state import state_schema_of
from schemas.partner_alliances.integrations import PartnerActivated, PartnerWithdrawn
from schemas.partner_alliances.partners import (
    IntegrationCreated,
    IntegrationRevoked,
    KycVerified,
    MailboxFreed,
    MailboxTaken,
    PartnerChanged,
    PartnerDeleted,
)
from schemas.partner_alliances.parts import mailbox_id_of
from schemas.partner_alliances.rejections import MailboxIsTaken, PartnerIsDeleted, PartnerNotFound
from tests.unit.aggregates.partner_alliances.agreed import CONTRACT, CREATED, REQUEST, TAX_ID
from tests.unit.aggregates.partner_alliances.agreed import PARTNER as PARTNER_ID

BOX, OTHER_BOX = mailbox_id_of("ana@example.org"), mailbox_id_of("eva@example.org")
WHOSE = {"partner_id": PARTNER_ID, "temporary_id": REQUEST}
CHANGED = PartnerChanged(
    partner_id=PARTNER_ID, name="Eco", email="e", mailbox_id=BOX, former_mailbox_id=None, phone="p", address="a"
)
VERIFIED = KycVerified(partner_id=PARTNER_ID, status="approved", former_status="pending", documents="d", comments=None)
ADDED = IntegrationCreated(
    integration_id=CONTRACT, partner_id=PARTNER_ID, type="API", name="Ads", description="", configuration=None
)
REVOKED = IntegrationRevoked(integration_id=CONTRACT, partner_id=PARTNER_ID, reason="")
DELETED = PartnerDeleted(**WHOSE, tax_id=TAX_ID, mailbox_id=BOX)


def test_a_partner_is_what_its_last_changes_say() -> None:
    partner = PARTNER.fold(Partner(), [CREATED, PartnerActivated(**WHOSE), CHANGED, VERIFIED, ADDED])

    assert (partner.name, partner.email, partner.phone, partner.address, partner.mailbox_id) == ("Eco", "e", "p", "a", BOX)
    assert (partner.temporary_id, partner.tax_id, partner.active, partner.end) == (REQUEST, TAX_ID, True, None)
    assert (partner.kyc_status, partner.kyc_documents, partner.integrations) == ("approved", "d", {str(CONTRACT): True})
    assert PARTNER.fold(partner, [REVOKED]).integrations == {str(CONTRACT): False}


def test_it_ends_by_its_withdrawal_or_its_deletion() -> None:
    withdrawn = PARTNER.fold(Partner(), [CREATED, PartnerWithdrawn(**WHOSE, reason="why")])
    deleted = PARTNER.fold(withdrawn, [DELETED])

    assert [(one.end, one.active, one.exists) for one in (withdrawn, deleted)] == [
        ("withdrawn", False, True),
        ("deleted", False, True),
    ]
    withdrawn.check_is_there(PARTNER_ID)
    with pytest.raises(PartnerIsDeleted):
        deleted.check_is_there(PARTNER_ID)
    with pytest.raises(PartnerNotFound):
        Partner().check_is_there(PARTNER_ID)


def test_a_snapshot_holds_all_of_it() -> None:
    partner = PARTNER.fold(Partner(), [CREATED, CHANGED, VERIFIED, ADDED])

    assert Partner.from_snapshot(state_schema_of(Partner), partner.model_dump_json()) == partner


def test_a_mailbox_is_free_or_that_of_one_partner() -> None:
    use = MAILBOX.create_or_change("mailbox_id")
    taken = MailboxTaken(mailbox_id=BOX, partner_id=PARTNER_ID)
    (claim,) = claim_mailbox(use, MAILBOX.initial, BOX, PARTNER_ID)
    of_partner = MAILBOX.fold(MAILBOX.initial, [taken])

    assert claim == use.records(taken)
    assert not list(claim_mailbox(use, of_partner, BOX, PARTNER_ID))
    assert not list(claim_mailbox(use, MAILBOX.initial, None, PARTNER_ID))
    with pytest.raises(MailboxIsTaken):
        list(claim_mailbox(use, of_partner, BOX, REQUEST))
    assert MAILBOX.fold(of_partner, [MailboxFreed(mailbox_id=BOX, partner_id=PARTNER_ID)]) == MAILBOX.initial


def test_a_tax_number_has_one_key_in_every_spelling() -> None:
    assert (tax_number_of(TAX_ID), tax_number_of(None)) == ("ES-B58378431", None)
