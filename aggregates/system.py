"""The domain of a system: its decisions, policies and sagas; and the domains of all systems together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aggregates.decision import Decisions
from aggregates.engine import operations, privacy
from aggregates.policy import Policy
from aggregates.sagas.decisions import decisions
from aggregates.sagas.definition import SagaDefinition
from aggregates.sagas.policies import listening, sending
from aggregates.stream import Stream
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.message import Command
from schemas.system import ENGINE, ContextName
from schemas.values.tuples import check_tuple


@dataclass(frozen=True, slots=True)
class Domain:
    """One system's decisions, policies and sagas: ``DOMAIN`` in the system's package of this room."""

    decisions: Decisions
    policies: tuple[Policy, ...] = ()
    sagas: tuple[SagaDefinition[Any], ...] = ()

    def __post_init__(self) -> None:
        for name in ("decisions", "policies", "sagas"):
            check_tuple("a Domain", name, getattr(self, name))

    def of(self, system: str) -> "Domain":
        """Returns this domain as that of a system, whose name its policies and sagas get."""
        policies = tuple(policy.of(system) for policy in self.policies)
        return replace(self, policies=policies, sagas=tuple(saga.of(system) for saga in self.sagas))


Domains = Mapping[str, Domain]
"""Domains by the names of their systems."""


def with_sagas(domains: Domains, catalog: Catalog) -> Domains:
    """Returns domains with the engine's own, and with the policies that run their sagas.

    Raises `Misconfigured` if a name is declared twice, or a command has two decisions.
    """
    _check_names(domains)
    named = {system: domain.of(system) for system, domain in domains.items()}
    definitions = {saga.full_name: saga for domain in named.values() for saga in domain.sagas}
    commands: dict[str, dict[str, Any]] = {}
    for context, command in catalog.commands():
        commands.setdefault(context.system, {})[command.message_name] = command
    engine = Domain((*decisions(definitions), *privacy.DECISIONS, *operations.DECISIONS), (sending(commands),))
    running = {
        system: replace(domain, policies=(*domain.policies, *map(listening, domain.sagas))) for system, domain in named.items()
    }
    return {**running, ENGINE: engine.of(ENGINE)}


def saga_inputs(domains: Domains, catalog: Catalog) -> Mapping[str, frozenset[str]]:
    """Returns the inputs that each saga knows, by its full name: events, each as ``Type@schema_version``, and timers.

    ``domains`` are those that `with_sagas` returns.
    """
    sagas = [saga for domain in domains.values() for saga in domain.sagas]
    return {saga.full_name: frozenset(saga.on_timer).union(*catalog.event_versions(saga.reactions).values()) for saga in sagas}


def streams_of(domains: Domains, catalog: Catalog) -> Mapping[ContextName, Mapping[str, Stream[Any]]]:
    """Returns the categories of streams of each context, by name: those that the decisions on its commands use."""
    found: dict[ContextName, dict[str, Stream[Any]]] = {}
    for domain in domains.values():
        for decision in domain.decisions:
            own = found.setdefault(catalog.context_of(decision.command), {})
            own.update((stream.category, stream) for stream in decision.streams)
    return found


def _check_names(domains: Domains) -> None:
    """A policy and a saga of one name would share their checkpoints; of two decisions on a command only one would count."""
    decided: set[type[Command]] = set()
    for system, domain in domains.items():
        names: set[str] = set()
        for name in (*(policy.name for policy in domain.policies), *(saga.name for saga in domain.sagas)):
            if name in names:
                raise Misconfigured(f"{system} declares two policies or sagas named {name!r}: rename one of them")
            names.add(name)
        for decision in domain.decisions:
            if decision.command in decided:
                raise Misconfigured(f"{system} declares two decisions on {decision.command.__name__}: remove one of them")
            decided.add(decision.command)
