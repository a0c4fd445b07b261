"""Operations and readings in a test's own process, on the installation that settings lead to."""

from typing import Any, TypeVar
from uuid import UUID

from command_api.composition import CommandIssuer
from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from deploy.operations.operation import Operation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from deploy.operations.run_content import RunContent, RunRecorder
from streams.settings import Settings

P = TypeVar("P", bound=Parameters)
T = TypeVar("T")
OPERATOR = "an operator"


async def operate(
    operation: Operation[P], parameters: P, settings: Settings, *, apply: bool = True, reason: str = "a test"
) -> RunContent:
    """Runs an operation, or only tries it, and returns what it said; raises its errors."""
    recorder = RunRecorder(RunContent.new(operation, parameters, OPERATOR, reason, apply=apply))
    async with OpenInstallation(settings) as installation:
        issuer = CommandIssuer(settings, installation.catalog)
        try:
            journal = Journal(issuer, OPERATOR, reason) if apply else None
            recorder.end(await operation.run(UUID(recorder.content.id), parameters, installation, recorder, journal))
        finally:
            await issuer.close()
    return recorder.content


async def read(reading: Reading[Any, T], parameters: Parameters, settings: Settings) -> T:
    """Returns what a reading shows; raises its errors."""
    async with OpenInstallation(settings) as installation:
        return await reading.read(installation, parameters)


def said(content: RunContent) -> str:
    """Returns everything that a run said."""
    return "\n".join(line.text for line in content.lines)
