"""The domain of a system: its decisions, policies and sagas; and the domains of all systems together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aggregates.decision import Decisions
from aggregates.engine import privacy
from aggregates.policy import Policy
from aggregates.sagas.decisions import decisions
from aggregates.sagas.definition import SagaDefinition
from aggregates.sagas.policies import listening, sending
from aggregates.stream import Stream
from schemas.catalog import ENGINE, Catalog, ContextName
from schemas.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Domain:
    """One system's decisions, policies and sagas: ``DOMAIN`` in the system's package of this room."""

    decisions: Decisions
    policies: tuple[Policy, ...] = ()
    sagas: tuple[SagaDefinition[Any], ...] = ()

    def __post_init__(self) -> None:
        for name in ("decisions", "policies", "sagas"):
            if not isinstance(getattr(self, name), tuple):
                raise Misconfigured(f"the {name} of a Domain are not a tuple: is a comma missing?")


Domains = Mapping[str, Domain]
"""Domains by the names of their systems."""


def with_sagas(domains: Domains, catalog: Catalog) -> Domains:
    """Returns domains with the engine's own, and with the policies that run their sagas."""
    definitions = {f"{system}.{saga.name}": saga for system, domain in domains.items() for saga in domain.sagas}
    commands: dict[str, dict[str, Any]] = {}
    for context, command in catalog.commands():
        commands.setdefault(context.system, {})[command.message_name] = command
    engine = Domain((*decisions(definitions), *privacy.DECISIONS), (sending(commands),))
    listening_too = {
        system: replace(domain, policies=(*domain.policies, *(listening(system, saga) for saga in domain.sagas)))
        for system, domain in domains.items()
    }
    return {
        name: replace(domain, policies=tuple(policy.of(name) for policy in domain.policies))
        for name, domain in {**listening_too, ENGINE: engine}.items()
    }


def streams_of(domains: Domains, catalog: Catalog) -> Mapping[ContextName, Mapping[str, Stream[Any]]]:
    """Returns the categories of streams of each context, by name: those that the decisions on its commands use."""
    found: dict[ContextName, dict[str, Stream[Any]]] = {}
    for domain in domains.values():
        for decision in domain.decisions:
            own = found.setdefault(catalog.context_of(decision.command), {})
            own.update((stream.category, stream) for stream in decision.streams)
    return found
