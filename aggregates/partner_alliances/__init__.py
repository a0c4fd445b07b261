"""Partner alliances' decisions, policies and sagas."""

from collections.abc import Mapping

from aggregates.partner_alliances import campaigns, compliance, contract_term, contracts, integrations, onboarding, registration
from aggregates.partner_alliances.products import Product, Products
from aggregates.system import Domain

EXTENSIONS = "caudal.partner_alliances.products"
"""The entry point group under which packages register further products."""


def domain(extensions: Mapping[str, Product]) -> Domain:
    """Returns the domain with the products that are installed."""
    products = Products.of(extensions)
    return Domain(
        decisions=(
            *integrations.DECISIONS,
            *registration.DECISIONS,
            *contracts.decisions(products),
            *compliance.decisions(products),
            *campaigns.DECISIONS,
        ),
        policies=(*registration.POLICIES, *contracts.POLICIES, *compliance.POLICIES, *campaigns.POLICIES),
        sagas=(onboarding.ONBOARDING, contract_term.CONTRACT_TERM),
    )
