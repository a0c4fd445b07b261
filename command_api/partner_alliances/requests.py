"""The parts of clients' requests: the base of their bodies, and the ids in their paths."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from schemas.errors import NotFound
from schemas.values.literals import read_uuid


class Cuerpo(BaseModel):
    """A body, which has no fields but those that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def id_in(path: Mapping[str, str], noun: str) -> UUID:
    """Returns the id in a path of a ``noun``; raises `NotFound` if it is none, because nothing has it."""
    try:
        return read_uuid(path["id"])
    except ValueError:
        raise NotFound(f"there is no {noun} {path['id']!r}") from None
