"""Datasets: a step that fails on purpose."""

from command_api.handling.activities import Activity, ActivityContext
from command_api.medical_datasets.simulated import is_failing
from schemas.envelope import CommandEnvelope
from schemas.medical_datasets.processing import BuildDataset

FAILURE = "FalloSimuladoProcesamiento"


async def build(command: CommandEnvelope[BuildDataset], context: ActivityContext) -> BuildDataset:
    """Returns the command, which fails if failures are simulated and its packet says so."""
    fails = is_failing(command.data.packet, FAILURE, context.settings)
    return command.data.model_copy(update={"is_failing": fails})


ACTIVITIES = (Activity(BuildDataset, build, has_side_effects=False),)
