"""What a system's write side consists of, and where the installed ones are found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aggregates.aggregate import Aggregate
from aggregates.decision import Decisions
from aggregates.engine import privacy
from aggregates.policy import Policy
from aggregates.sagas.decisions import decisions
from aggregates.sagas.definition import SagaDefinition
from aggregates.sagas.policies import listening, sending
from aggregates.sagas.saga import Process
from schemas.catalog import Catalog
from schemas.engine import sagas
from schemas.engine.privacy import CONTEXT as PRIVACY


@dataclass(frozen=True, slots=True)
class Domain:
    """One system's decisions, policies and process managers. What a package of your own registers as ``caudal.aggregates``."""

    decisions: Decisions
    aggregates: Mapping[str, tuple[type[Aggregate], ...]]
    """Every class of aggregate that the decisions are about, by the context whose log has its streams."""
    policies: tuple[Policy, ...] = ()
    sagas: tuple[SagaDefinition[Any], ...] = ()


def installed(catalog: Catalog) -> Mapping[str, Domain]:
    """The write side of a catalog's systems, by their names; the engine's own leads the processes of all the others."""
    return with_sagas(dict(catalog.registered("caudal.aggregates")))


def with_sagas(sides: Mapping[str, Domain]) -> Mapping[str, Domain]:
    """Systems' write sides with what runs their processes."""
    managers = {f"{system}.{manager.name}": manager for system, side in sides.items() for manager in side.sagas}
    engine = Domain(
        (*decisions(managers), *privacy.DECISIONS),
        {sagas.CONTEXT: (Process,), PRIVACY: (privacy.Subject,)},
        (sending(managers),),
    )
    told = {
        system: replace(side, policies=(*side.policies, *(listening(system, manager) for manager in side.sagas)))
        for system, side in sides.items()
    }
    return {
        name: replace(side, policies=tuple(policy.of(name) for policy in side.policies))
        for name, side in {**told, sagas.SYSTEM: engine}.items()
    }
