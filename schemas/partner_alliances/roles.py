"""The roles of the partner alliances. A request to become a partner needs no role."""

from schemas.access import Access

AUDIT = Access.to("auditor")
COMPLIANCE = Access.to("compliance_officer")
"""May publish the sanction list, decide on contracts under revision, and read the assessments."""
PARTNERS = Access.to("partner_manager", "compliance_officer")
"""May read the partners."""
CLIENTS_PARTNERS = Access.to("partner_manager", "compliance_officer", open_in_seed=True)
"""May read and change the partners under ``/api/v1/partners``, whose clients send no token in the profile for trying."""
CLIENTS_COMPLIANCE = Access.to("compliance_officer", open_in_seed=True)
"""May do what compliance does there."""
