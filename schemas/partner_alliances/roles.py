"""The roles of the partner alliances. A request to become a partner needs no role."""

from schemas.access import Access

AUDIT = Access.to("auditor")
COMPLIANCE = Access.to("compliance_officer")
"""May publish the sanction list, decide on contracts under revision, and read the assessments."""
PARTNERS = Access.to("partner_manager", "compliance_officer")
"""May read the partners."""
