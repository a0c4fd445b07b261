"""Partner alliances' projections."""

from projectors.partner_alliances import campaigns, compliance, contracts, partners, profiles

PROJECTIONS = (
    *partners.PROJECTIONS,
    *profiles.PROJECTIONS,
    *contracts.PROJECTIONS,
    *compliance.PROJECTIONS,
    *campaigns.PROJECTIONS,
)
