"""JSON pointers (RFC 6901): the place of a value in a document."""

from collections.abc import Iterable


def pointer_of(path: Iterable[str | int]) -> str:
    """Returns the pointer to the value that these member names and indexes lead to; the empty path is ``""``."""
    pointer = ""
    for key in path:
        pointer = step(pointer, key)
    return pointer


def step(pointer: str, key: str | int) -> str:
    """Returns the pointer to a member or an element of the value that ``pointer`` leads to."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
