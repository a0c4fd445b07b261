"""Followers of events: the projections and policies that an event is for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aggregates.system import with_sagas
from projectors.discovery import installed
from schemas.catalog import Catalog
from schemas.message import Event
from streams.discovery import declared_domains


class Follower(NamedTuple):
    """A projection or a policy."""

    name: str
    is_view: bool

    def __str__(self) -> str:
        return f"{'view' if self.is_view else 'policy'} `{self.name}`"


def followers_of_events(catalog: Catalog) -> Mapping[type[Event], Sequence[Follower]]:
    """Returns the projections, then the policies, that follow each event; an event that nobody follows is missing."""
    found: dict[type[Event], list[Follower]] = {}
    for projection in installed(catalog):
        for event in projection.events:
            found.setdefault(event, []).append(Follower(projection.full_name, is_view=True))
    for domain in with_sagas(declared_domains(catalog), catalog).values():
        for policy in domain.policies:
            for followed in policy.reactions:
                found.setdefault(followed, []).append(Follower(policy.full_name, is_view=False))
    return found
