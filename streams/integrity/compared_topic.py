"""The result of comparing a topic with the log whose events its records follow from."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["missing", "altered", "reordered", "extra", "not made"]
"""``not made``: the function that makes the record raises, or its schema does not allow what it returns."""
_MAX_FINDINGS = 1000


@dataclass(frozen=True, slots=True, order=True)
class TopicFinding:
    """Something that is wrong with a topic."""

    position: int
    partition: int
    kind: Kind


@dataclass(slots=True)
class ComparedTopic:
    """The records of a topic, and what is wrong with them."""

    topic: str
    records: int = 0
    """Records of the log's events."""
    repeated: int = 0
    """Records that the topic has already: harmless, because readers know them."""
    expired: int = 0
    """Events that are not expected, because the topic's retention has removed its beginning."""
    findings: list[TopicFinding] = field(default_factory=list)
    found: int = 0
    """The number of all findings; ``findings`` holds the first thousand."""

    def add_finding(self, partition: int, position: int, kind: Kind) -> None:
        """Counts a finding, and keeps it if it is one of the first."""
        self.found += 1
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(TopicFinding(position, partition, kind))
