"""The clients' own words in parameters of a query."""

from collections.abc import Mapping

from schemas.errors import Invalid, Violation


def word_of(words: Mapping[str, str], name: str, given: str) -> str:
    """Returns the meaning of a client's word, in any spelling; raises `Invalid`, which names the words, for another one."""
    meanings = {word.lower(): meaning for word, meaning in words.items()}
    if (found := meanings.get(given.lower())) is None:
        why = f"debe ser {', '.join(words)}"
        raise Invalid(f"{name} {why}", [Violation(f"/{name}", why)])
    return found
