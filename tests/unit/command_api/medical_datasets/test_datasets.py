"""A dataset that fails on purpose."""

from dataclasses import replace

import pytest

from command_api.medical_datasets.datasets import FAILURE, build
from schemas.medical_datasets.processing import BuildDataset
from streams.settings import Settings
from tests.unit.aggregates.medical_datasets.packets import ID, PACKET, TOKEN
from tests.unit.command_api.activity_context import context_of, sent


@pytest.mark.parametrize(
    ("setting", "failures", "is_failing"), [(f"UCI {FAILURE}", 0.5, True), (f"UCI {FAILURE}", 0, False), ("UCI", 0.5, False)]
)
async def test_it_fails_where_failures_are_simulated_and_its_packet_says_so(
    setting: str, failures: float, is_failing: bool
) -> None:
    packet = PACKET.model_copy(update={"clinical_setting": setting})
    context = replace(context_of(), settings=Settings(demo_failures=failures))

    found = await build(sent(BuildDataset(saga_id=ID, token=TOKEN, packet=packet)), context)

    assert found.is_failing is is_failing
