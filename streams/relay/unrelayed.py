"""Sentences about logs that are not relayed. They name the logs only if others are relayed."""

from collections.abc import Sequence


def unrelayed(names: Sequence[str], of: int) -> str:
    """Returns a text like ``none of 12 logs is relayed`` or ``2 of 12 logs are not relayed: a, b``; ``of`` counts all logs."""
    if len(names) == of > 1:
        return f"none of {of} logs is relayed"
    return f"{len(names)} of {of} logs {'is' if len(names) == 1 else 'are'} not relayed: {', '.join(names)}"
