"""Partner alliances' projections."""

from projectors.partner_alliances import campaigns, contracts, partners, profiles

PROJECTIONS = (*partners.PROJECTIONS, *profiles.PROJECTIONS, *contracts.PROJECTIONS, *campaigns.PROJECTIONS)
