"""Tuples of declarations: a single value in the place of a tuple is rejected. A text would be read letter by letter."""

from schemas.errors import Misconfigured


def check_tuple(owner: str, what: str, found: object) -> None:
    """Raises `Misconfigured`, with what to write, if a declaration of an ``owner`` is not a tuple."""
    if not isinstance(found, tuple):
        raise Misconfigured(f"the {what} of {owner} must be a tuple; is a comma missing, as in {_tuple_of(found)}?")


def check_not_text(owner: str, what: str, found: object) -> None:
    """Raises `Misconfigured` if one text is declared in the place of several."""
    if isinstance(found, str):
        raise Misconfigured(f"the {what} of {owner} must be a collection of texts, not the text {found!r}")


def _tuple_of(found: object) -> str:
    match found:
        case str():
            return f"({found!r},)"
        case type():
            return f"({found.__name__},)"
        case list() | set() | frozenset():
            return "(…,)"
        case _:
            return f"({type(found).__name__}(…),)"
