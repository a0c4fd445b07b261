"""What the local stack starts: a command, where it logs, how it is told to stop, and how one sees that it is ready."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """A process of the stack."""

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    """Whether it does its work; asked again and again after a start."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: Signals = SIGTERM
