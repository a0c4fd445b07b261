"""Dashboards for Grafana, made of metrics: `python -m tests.dashboards` writes them to `deploy/grafana/dashboards`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueColorMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

FOLDER = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")


class Line(NamedTuple):
    """One line of a chart, or the number of a stat."""

    expression: str
    legend: str = ""


class Chart(NamedTuple):
    """A panel: a question, and the lines that answer it."""

    title: str
    description: str
    unit: str
    lines: tuple[Line, ...]


class Goal(NamedTuple):
    """A service level: a number, and the one that it should reach."""

    title: str
    description: str
    expression: str
    unit: str
    goal: float
    is_at_most: bool = False
    """Whether more than the goal is too much; else less is too little."""


class Page(NamedTuple):
    """A dashboard: its goals come first, then rows of charts."""

    uid: str
    title: str
    description: str
    goals: tuple[Goal, ...]
    rows: Mapping[str, Sequence[Chart]]


def rate(metric: str, by: str, selector: str = "") -> str:
    """Returns the rate of a counter, added up by some labels."""
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


def quantile(q: float, metric: str, by: str = "") -> str:
    """Returns a quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


ANSWERED = (
    '1 - sum(rate(caudal_http_requests_total{status=~"5.."}[$__range])) / sum(rate(caudal_http_requests_total[$__range]))'
)
LATENCY = Chart(
    "Time to answer",
    "Half of the requests, and all but one of a hundred, are answered within this time.",
    "s",
    (
        Line(quantile(0.5, "caudal_http_request_seconds"), "half"),
        Line(quantile(0.99, "caudal_http_request_seconds"), "99 of 100"),
    ),
)
COMMANDS = Chart(
    "Commands", "Commands handled, by outcome.", "cps", (Line(rate("caudal_commands_total", "outcome"), "{{outcome}}"),)
)
DELAY = Chart(
    "Time until visible",
    "From the recording of an event until a view has it: the oldest event of each batch that was applied.",
    "s",
    (
        Line(quantile(0.5, "caudal_projection_delay_seconds", "projection"), "{{projection}}, half"),
        Line(quantile(0.99, "caudal_projection_delay_seconds", "projection"), "{{projection}}, 99 of 100"),
    ),
)
BEHIND = Chart(
    "Subscriptions behind",
    "Positions between the log and the checkpoint, in the partition that is furthest behind.",
    "short",
    (Line("max by (subscription, context) (caudal_subscription_lag_positions) > 0", "{{subscription}} {{context}}"),),
)
UNPUBLISHED = Chart(
    "Age of the oldest unpublished event",
    "How long the broker has not acknowledged an event.",
    "s",
    (Line("max by (context) (caudal_relay_lag_seconds)", "{{context}}"),),
)
SIGNED = Chart(
    "Time since a log was signed",
    "How long ago each log was last found signed up to its end.",
    "s",
    (Line("time() - max by (context) (caudal_signed_time_seconds)", "{{context}}"),),
)
PARKED = Chart(
    "Dead letters",
    "Events that could not be handled, and wait for an operator.",
    "short",
    (Line("max by (subscription) (caudal_dead_letters_open) > 0", "{{subscription}}"),),
)

PAGES = (
    Page(
        "caudal-service-levels",
        "Caudal: accepted, visible, proved",
        "The three promises of an installation: a command is answered, its events are seen, and the log is proved.",
        (
            Goal(
                "Accepted",
                "Requests that were answered without a fault, over the time that is shown.",
                ANSWERED,
                "percentunit",
                0.999,
            ),
            Goal(
                "Visible",
                "All but one of a hundred batches of events are in their views after this time.",
                "histogram_quantile(0.99, sum by (le) (rate(caudal_projection_delay_seconds_bucket[$__range])))",
                "s",
                5,
                is_at_most=True,
            ),
            Goal(
                "Published",
                "Age of the oldest event that the broker has not acknowledged.",
                "max(caudal_relay_lag_seconds)",
                "s",
                60,
                is_at_most=True,
            ),
            Goal(
                "Proved",
                "Time since the log that waits longest was signed.",
                "max(time() - max by (context) (caudal_signed_time_seconds))",
                "s",
                300,
                is_at_most=True,
            ),
            Goal(
                "Not handled",
                "Dead letters that are open.",
                "sum(max by (subscription) (caudal_dead_letters_open))",
                "short",
                0,
                is_at_most=True,
            ),
        ),
        {"Accepted": (COMMANDS, LATENCY), "Visible": (DELAY, BEHIND), "Proved": (UNPUBLISHED, SIGNED)},
    ),
    Page(
        "caudal-flow",
        "Caudal: from commands to views",
        "How many commands, events and records pass, and where they wait.",
        (),
        {
            "Commands": (
                COMMANDS,
                Chart(
                    "Time of an append",
                    "Time to append a batch of commands to a log.",
                    "s",
                    (Line(quantile(0.99, "caudal_append_batch_seconds", "context"), "{{context}}"),),
                ),
                Chart(
                    "Timers",
                    "Timers of sagas that fired.",
                    "cps",
                    (Line(rate("caudal_timers_fired_total", "saga"), "{{saga}}"),),
                ),
                Chart(
                    "Commands that are none",
                    "Records of commands topics that could not be read.",
                    "cps",
                    (Line(rate("caudal_commands_parked_total", "topic"), "{{topic}}"),),
                ),
            ),
            "Topics": (
                Chart(
                    "Events published",
                    "Events that the broker has acknowledged.",
                    "cps",
                    (Line(rate("caudal_relay_events_total", "context"), "{{context}}"),),
                ),
                Chart(
                    "Unpublished events",
                    "Events that the broker has not acknowledged yet.",
                    "short",
                    (Line("max by (context) (caudal_relay_lag_events) > 0", "{{context}}"),),
                ),
                UNPUBLISHED,
                Chart(
                    "Partitions and logs in need",
                    "Partitions that accept no events, and logs that went back behind their topic.",
                    "short",
                    (
                        Line("max by (context) (caudal_relay_blocked_partitions) > 0", "{{context}}: blocked partitions"),
                        Line("max by (context) (caudal_log_went_back) > 0", "{{context}}: went back"),
                    ),
                ),
            ),
            "Views and policies": (
                Chart(
                    "Events applied",
                    "Events that projections have applied.",
                    "cps",
                    (Line(rate("caudal_projection_events_total", "projection"), "{{projection}}"),),
                ),
                DELAY,
                BEHIND,
                PARKED,
                Chart(
                    "Rebuilds",
                    "How far versions that are being built are behind their live views.",
                    "short",
                    (Line("max by (view) (caudal_rebuild_remaining_positions) > 0", "{{view}}"),),
                ),
                Chart(
                    "Repairs of the delivery",
                    "Events that the topic did not deliver and the log did, and events that came again.",
                    "cps",
                    (
                        Line(rate("caudal_subscription_gap_filled_total", "subscription"), "{{subscription}}: from the log"),
                        Line(rate("caudal_subscription_duplicates_total", "subscription"), "{{subscription}}: again"),
                    ),
                ),
            ),
        },
    ),
    Page(
        "caudal-machines",
        "Caudal: what the machines do",
        "Which processes answer, and what they need.",
        (),
        {
            "Answers": (
                Chart(
                    "Requests",
                    "Requests answered, by status.",
                    "reqps",
                    (Line(rate("caudal_http_requests_total", "status"), "{{status}}"),),
                ),
                LATENCY,
                Chart(
                    "In progress",
                    "Requests that are being answered.",
                    "short",
                    (Line("sum by (instance) (caudal_http_in_progress)", "{{instance}}"),),
                ),
                Chart(
                    "Too many",
                    "Requests rejected because the process has more than it can answer.",
                    "reqps",
                    (Line(rate("caudal_http_shed_total", "instance"), "{{instance}}"),),
                ),
            ),
            "Gateways": (
                Chart(
                    "Requests of gateways",
                    "Requests by API and outcome.",
                    "reqps",
                    (Line(rate("caudal_gateway_requests_total", "api, outcome"), "{{api}}: {{outcome}}"),),
                ),
                Chart(
                    "Usable instances",
                    "Instances of the APIs that get requests.",
                    "short",
                    (Line("sum by (api) (caudal_gateway_usable)", "{{api}}"),),
                ),
            ),
            "Machines": (
                Chart(
                    "Processor",
                    "Seconds of processor time in a second.",
                    "percentunit",
                    (Line('rate(process_cpu_seconds_total{job="caudal"}[$__rate_interval])', "{{instance}}"),),
                ),
                Chart(
                    "Memory",
                    "Resident memory.",
                    "bytes",
                    (Line('process_resident_memory_bytes{job="caudal"}', "{{instance}}"),),
                ),
                Chart(
                    "Cached states",
                    "Memory of the states of streams.",
                    "bytes",
                    (Line("sum by (instance) (caudal_cached_states_bytes)", "{{instance}}"),),
                ),
                Chart(
                    "States loaded",
                    "States of streams that were loaded, by source.",
                    "cps",
                    (Line(rate("caudal_states_loaded_total", "source"), "{{source}}"),),
                ),
            ),
        },
    ),
)


def dashboards() -> Mapping[str, str]:
    """Returns the dashboards as JSON, by the names of their files."""
    return {f"{page.uid}.json": JSONEncoder(sort_keys=True, indent=2).encode(_dashboard(page).build()) + "\n" for page in PAGES}


def _dashboard(page: Page) -> Dashboard:
    made = (
        Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags(["caudal"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .readonly()
        .with_variable(DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    for goal in page.goals:
        made = made.with_panel(_stat(goal, 24 // len(page.goals)))
    for title, charts in page.rows.items():
        made = made.with_row(Row(title))
        for chart in charts:
            made = made.with_panel(_timeseries(chart))
    return made


def _stat(goal: Goal, width: int) -> Stat:
    good, bad = "green", "red"
    first, then = (good, bad) if goal.is_at_most else (bad, good)
    beyond = goal.goal + 1e-9 if goal.is_at_most else goal.goal
    steps = [Threshold(value=None, color=first), Threshold(value=beyond, color=then)]
    return (
        Stat()
        .title(goal.title)
        .description(goal.description)
        .datasource(SOURCE)
        .unit(goal.unit)
        .decimals(3 if goal.unit == "percentunit" else 1)
        .color_mode(BigValueColorMode.BACKGROUND)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_query(Line(goal.expression), 0).instant())
        .height(5)
        .span(width)
    )


def _timeseries(chart: Chart) -> Timeseries:
    panel = (
        Timeseries()
        .title(chart.title)
        .description(chart.description)
        .datasource(SOURCE)
        .unit(chart.unit)
        .min(0)
        .legend(VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True))
        .height(8)
        .span(12)
    )
    for number, line in enumerate(chart.lines):
        panel = panel.with_target(_query(line, number))
    return panel


def _query(line: Line, number: int) -> Dataquery:
    return Dataquery().expr(line.expression).legend_format(line.legend).ref_id(chr(ord("A") + number)).datasource(SOURCE)


def main() -> None:
    """Writes the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
