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


OF_INTEGRATIONS = (PartnerNotFound, PartnerIsDeleted, MailboxIsTaken, IntegrationNotFound, IntegrationIsRevoked)
"""Those of the context ``integrations``."""
