"""The clients' own words in parameters of a query, and the filters that they mean."""

from collections.abc import Callable, Mapping, Sequence

from schemas.errors import Invalid, Violation

Filters = Sequence[tuple[str, str]]
"""Columns of a view, perhaps with an operator, each with a value: ``status[in]`` and ``pending,approved``."""
Words = Mapping[str, Mapping[str, Filters]]
"""By a parameter's name, the filters that each of its words means."""


def filters_of(words: Words, name: str, given: str) -> Filters:
    """Returns the filters of a parameter's word, in any spelling; raises `Invalid`, which names the words, for another one."""
    meanings = {word.lower(): filters for word, filters in words[name].items()}
    if (found := meanings.get(given.lower())) is None:
        why = f"debe ser {', '.join(words[name])}"
        raise Invalid(f"{name} {why}", [Violation(f"/{name}", why)])
    return found


def translation(words: Words) -> Callable[[str, str], Filters | None]:
    """Returns the function of a parameter that returns its filters; ``None`` for one that has no words."""
    return lambda name, given: filters_of(words, name, given) if name in words else None
