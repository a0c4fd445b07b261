"""Dashboards of Grafana: they are what the code makes, name metrics that exist, and ask what Prometheus can read."""

import re
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest
import yaml
from prometheus_client import REGISTRY

from tests.dashboards import FOLDER, PAGES, dashboards
from tests.docs.test_metrics import PROCESSES

EXPRESSIONS = [
    line.expression for page in PAGES for charts in page.rows.values() for chart in charts for line in chart.lines
] + [goal.expression for page in PAGES for goal in page.goals]


def test_the_files_are_what_the_code_makes() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == dashboards(), "run `python -m tests.dashboards`"


def test_every_metric_exists_and_is_shown() -> None:
    assert PROCESSES, "their import registers their metrics"
    exported = {metric.name: metric.type for metric in REGISTRY.collect() if metric.name.startswith("caudal_")}
    samples = {f"{name}{suffix}" for name in exported for suffix in ("", "_total", "_bucket")}
    named = {name for expression in EXPRESSIONS for name in re.findall(r"caudal_\w+", expression)}

    assert named - samples == set()
    assert len({name for name in exported if any(shown.startswith(name) for shown in named)}) > len(exported) / 2


def test_no_two_panels_of_a_page_overlap_or_ask_the_same() -> None:
    for name, text in dashboards().items():
        panels = [one for one in orjson.loads(text)["panels"] if one["type"] != "row"]
        places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels]
        assert len(set(places)) == len(places), name
        assert all(one["gridPos"]["x"] + one["gridPos"]["w"] <= 24 for one in panels), name
        assert len({one["title"] for one in panels}) == len(panels), name


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("NO PROMTOOL: the expressions of the dashboards were not read by it")
    known = [one.replace("$__rate_interval", "5m").replace("$__range", "3h") for one in EXPRESSIONS]
    rules = {"groups": [{"name": "all", "rules": [{"record": f"r{n}", "expr": expr} for n, expr in enumerate(known)]}]}
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(rules))

    done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
