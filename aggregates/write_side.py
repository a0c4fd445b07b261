"""What a system's write side consists of, and where the installed ones are found."""

from collections.abc import Mapping
from dataclasses import dataclass

from aggregates.aggregate import Aggregate
from aggregates.decision import Decisions
from aggregates.policy import Policy
from schemas.catalog import registered


@dataclass(frozen=True, slots=True)
class WriteSide:
    """One system's decisions and policies. What a package of your own registers as ``caudal.aggregates``."""

    decisions: Decisions
    aggregates: Mapping[str, tuple[type[Aggregate], ...]]
    """Every class of aggregate that the decisions are about, by the context whose log has its streams."""
    policies: tuple[Policy, ...] = ()


def installed() -> Mapping[str, WriteSide]:
    """The write side of every installed system, by its name."""
    return dict(registered("caudal.aggregates"))
