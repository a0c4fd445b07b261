"""What the local stack starts: a command, where it logs, how it is told to stop, and how one sees that it is ready."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from schemas.errors import Misconfigured


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


async def run_to_end(*command: str, told: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
    """Runs a command, tells it something on standard input, and returns all that it prints.

    Raises `Misconfigured` where it fails; where it is cancelled the command is killed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        cwd="/",
    )
    try:
        output, _ = await process.communicate(told)
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise Misconfigured(f"`{' '.join(command[:4])} …` failed: {output.decode(errors='replace')[-1000:]}")
    return output.decode(errors="replace")
