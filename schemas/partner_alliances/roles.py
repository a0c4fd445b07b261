"""Who may do what in the partner alliances. Whoever wants to become a partner needs no role."""

from schemas.access import Access

AUDIT = Access.to("auditor")
COMPLIANCE = Access.to("compliance_officer")
"""Sets the sanction list, decides what the rules leave open, sees why."""
PARTNERS = Access.to("partner_manager", "compliance_officer")
"""Sees who the partners are."""
