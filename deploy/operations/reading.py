"""Readings: everything that an operator can look at, on the command line and over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from deploy.operations.installation import OpenInstallation
from deploy.operations.operation import OPERATORS
from deploy.operations.run import Parameters
from schemas.access import Access
from schemas.errors import Unavailable

P = TypeVar("P", bound=Parameters)
T = TypeVar("T")

BODIES = Access.to("auditor")
"""Reads the bodies of events and records; what is encrypted in them stays encrypted."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Rows that are read from several databases."""

    rows: Sequence[T]
    out_of_reach: Sequence[str] = ()
    """Why databases did not answer, whose rows are missing."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[P, T]):
    """One thing that an operator can look at."""

    name: str
    """``subject/verb``, as in ``caudal subject verb``."""
    parameters: type[P]
    read: Callable[[OpenInstallation, P], Awaitable[T]]
    """Raises `NotFound`, `Invalid` and `Unavailable`."""
    answer: TypeAdapter[T]
    access: Access = OPERATORS

    @property
    def summary(self) -> str:
        """Its answer in a sentence."""
        return (self.read.__doc__ or self.name).partition("\n")[0]


async def listed(parts: Iterable[Awaitable[Sequence[T]]]) -> Listing[T]:
    """Returns the rows of all parts whose database answers; raises `Unavailable` if none does."""
    found: list[Any] = await asyncio.gather(*parts, return_exceptions=True)
    rows: list[T] = []
    failed: list[Unavailable] = []
    for one in found:
        if isinstance(one, Unavailable):
            failed.append(one)
        elif isinstance(one, BaseException):
            raise one
        else:
            rows += one
    if failed and len(failed) == len(found):
        raise failed[0]
    return Listing(rows, list(dict.fromkeys(error.detail for error in failed)))
