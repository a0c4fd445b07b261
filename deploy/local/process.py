"""Descriptions of the processes that the local stack runs, and the running of short commands."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from schemas.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process of the stack."""

    name: str
    command: tuple[str, ...]
    log: Path
    """File to which standard output and standard error are appended."""
    why_not_ready: Callable[[], Awaitable[str | None]]
    """Returns why the process does not do its work yet, or ``None``; called again and again after a start."""
    logs_its_start: bool = False
    """Whether a growing log means that the start makes progress, as a server's that recovers its data."""
    may_fail_to_start: bool = False
    """Whether a death during the start may have a cause that passes, such as a predecessor that has not quite ended."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: Signals = SIGTERM
    folder: Path = Path("/")
    """Folder in which the process starts."""


async def run_to_end(
    *command: str, given: bytes = b"", environment: Mapping[str, str] | None = None, folder: Path = Path("/")
) -> str:
    """Runs a command in a folder with ``given`` on its standard input and returns everything that it prints.

    Raises `Misconfigured` if the command fails. Kills the command if the caller is cancelled.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        cwd=folder,
    )
    try:
        output, _ = await process.communicate(given)
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise Misconfigured(f"`{' '.join(command[:4])} …` failed: {output.decode(errors='replace')[-1000:]}")
    return output.decode(errors="replace")
