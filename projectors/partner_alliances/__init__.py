"""Partner alliances' projections."""

from projectors.partner_alliances import campaigns, contracts, partners

PROJECTIONS = (*partners.PROJECTIONS, *contracts.PROJECTIONS, *campaigns.PROJECTIONS)
