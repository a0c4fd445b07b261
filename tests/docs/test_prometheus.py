"""Alerts of Prometheus: they name metrics that exist, and raise what they should."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.docs.test_metrics import PROCESSES

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"


def test_each_alert_names_metrics_that_exist() -> None:
    assert PROCESSES, "their import registers their metrics"
    exported = {sample for metric in REGISTRY.collect() for sample in (metric.name, f"{metric.name}_total")}
    named = set(re.findall(r"caudal_\w+", (FOLDER / "rules.yml").read_text()))

    assert named - exported == set()


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")], ids=" ".join)
def test_prometheus_accepts_the_files_and_raises_the_alerts(command: tuple[str, ...]) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("NO PROMTOOL: the alerts of Prometheus were not tried")

    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
