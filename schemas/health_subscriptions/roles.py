"""The roles of the health subscriptions. A request for a subscription or an image needs no role."""

from schemas.access import Access

MANAGERS = Access.to("subscriptions_manager", open_in_seed=True)
"""May change subscriptions and data services, and read the latter; its clients send no token in the profile for trying."""
OPERATORS = Access.to("operator", open_in_seed=True)
"""May send test notifications there."""
PRIVACY = Access.to("privacy_officer")
"""May look at images in quarantine, and release or discard them."""
