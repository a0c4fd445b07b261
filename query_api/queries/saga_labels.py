"""Labels of sagas: the words in which a system's clients read the status of a saga and of its steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.engine.sagas import Status, StepStatus


@dataclass(frozen=True, slots=True)
class SagaLabels:
    """A system's words, which its module declares as ``SAGA_LABELS``.

    A status without a label is shown as its English name in capital letters.
    """

    statuses: Mapping[Status, str] = field(default_factory=dict)
    steps: Mapping[StepStatus, str] = field(default_factory=dict)

    def status(self, status: Status) -> str:
        """Returns the label of a saga's status."""
        return self.statuses.get(status, status.upper())

    def step(self, status: StepStatus) -> str:
        """Returns the label of a step's status."""
        return self.steps.get(status, status.upper())


ENGLISH = SagaLabels()
"""The labels of a system that declares none."""
