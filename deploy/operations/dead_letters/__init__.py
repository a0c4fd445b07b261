"""``caudal dead-letters``: shows what subscriptions could not deal with, mends it, tries it again or leaves it out."""
