"""Partner alliances' decisions, policies and processes."""

from aggregates.partner_alliances import campaigns, compliance, contract_term, contracts, integrations, onboarding
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*integrations.DECISIONS, *contracts.DECISIONS, *compliance.DECISIONS, *campaigns.DECISIONS),
    aggregates={
        "integrations": integrations.AGGREGATES,
        "contracts": contracts.AGGREGATES,
        "compliance": compliance.AGGREGATES,
        "campaigns": campaigns.AGGREGATES,
    },
    policies=campaigns.POLICIES,
    sagas=(onboarding.ONBOARDING, contract_term.CONTRACT_TERM),
)
