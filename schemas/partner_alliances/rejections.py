"""The rejections of the partner alliances that their clients know by kinds of their own."""

from schemas.errors import Rejected


class PartnerNotFound(Rejected):
    """There is no partner with this id."""

    kind = "partner_not_found"


class PartnerIsDeleted(Rejected):
    """The partner is deleted."""

    kind = "partner_deleted"


class MailboxIsTaken(Rejected):
    """Another partner has this mailbox."""

    kind = "mailbox_taken"


class IntegrationNotFound(Rejected):
    """There is no integration with this id."""

    kind = "integration_not_found"


class IntegrationIsRevoked(Rejected):
    """The integration is revoked."""

    kind = "integration_revoked"


class PartnerHasEnded(Rejected):
    """The partner is withdrawn or deleted."""

    kind = "partner_ended"


class PartnerIsNotActive(Rejected):
    """The partner is not active."""

    kind = "partner_not_active"


class ContractHasAnotherStatus(Rejected):
    """The status of the contract does not allow this."""

    kind = "contract_status"


class ContractIsNotInRevision(Rejected):
    """The contract is not under revision."""

    kind = "contract_not_in_revision"


class LastDayIsOver(Rejected):
    """The last day of the contract is over."""

    kind = "last_day_over"


class EndsTooEarly(Rejected):
    """The last day is before the first one, or over already."""

    kind = "ends_too_early"


class NoSuchProduct(Rejected):
    """There is no product of this name."""

    kind = "no_such_product"


class TermsDoNotFit(Rejected):
    """The terms do not fit the product."""

    kind = "terms_do_not_fit"


OF_INTEGRATIONS = (
    *(PartnerNotFound, PartnerIsDeleted, MailboxIsTaken, IntegrationNotFound, IntegrationIsRevoked, PartnerHasEnded),
    EndsTooEarly,
)
OF_CONTRACTS = (
    *(PartnerNotFound, PartnerHasEnded, ContractHasAnotherStatus, ContractIsNotInRevision, LastDayIsOver, EndsTooEarly),
    *(NoSuchProduct, TermsDoNotFit),
)
OF_CAMPAIGNS = (PartnerIsNotActive, EndsTooEarly)
"""The rejections of these contexts."""
