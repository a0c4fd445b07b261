"""The table of metrics in the documentation names the metrics that exist."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

import command_api.worker
import deploy.gateway.app
import deploy.serving.serve
import projectors.service
import query_api.app
import streams.relay.service

DOCUMENT = Path(__file__).parents[2] / "docs" / "subscriptions.md"
PROCESSES = (
    command_api.worker,
    deploy.gateway.app,
    deploy.serving.serve,
    projectors.service,
    query_api.app,
    streams.relay.service,
)


def test_every_metric_is_in_the_table_and_the_other_way_round() -> None:
    exported = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("caudal_")}
    table = DOCUMENT.read_text().partition("## Metrics")[2]
    documented = {name.removesuffix("_total") for name in re.findall(r"`(caudal_\w+)", table)}

    assert exported == documented
