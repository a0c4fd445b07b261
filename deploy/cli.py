"""The ``caudal`` command.

Each command imports what it runs when it is called: six processes start at once, and none should load the others' rooms.
"""

import logging
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from textwrap import indent
from typing import Annotated, Literal

import typer
from rich.console import Console

from deploy.commands.commands import commands
from deploy.commands.dead_letters import dead_letters
from deploy.commands.doctor import doctor
from deploy.commands.operations import operations
from deploy.commands.projections import projections
from deploy.commands.recover import recover
from deploy.commands.relay import relay
from deploy.commands.sagas import sagas
from deploy.commands.status import status
from deploy.commands.subjects import subjects
from deploy.commands.subscriptions import subscriptions
from deploy.commands.verify import verify
from deploy.console.async_command import async_command, report_errors
from deploy.console.connection import read_settings, settings_of, settings_or_stack, stack_of
from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, LogFormat, flag
from deploy.console.printing import counted
from deploy.operations.keys import master_keys, signing_key, token, token_keys
from schemas.system import ContextName
from streams.discovery import installed_catalog
from streams.telemetry.logging import configure_logging

_PORT = 8000
"""Port of a process unless another one is given."""
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
RUN, LOOK, AUTHOR, OPERATE, KEYS = "Run", "Look", "Write a system", "Operate", "Keys and files"
schemas = typer.Typer(no_args_is_help=True, help="Compare event classes with their recorded shapes.")
app.add_typer(verify, name="verify", rich_help_panel=LOOK)
app.add_typer(sagas, name="sagas", rich_help_panel=OPERATE)
app.add_typer(subscriptions, name="subscriptions", rich_help_panel=OPERATE)
app.add_typer(dead_letters, name="dead-letters", rich_help_panel=OPERATE)
app.add_typer(projections, name="projections", rich_help_panel=OPERATE)
app.add_typer(relay, name="relay", rich_help_panel=OPERATE)
app.add_typer(subjects, name="subjects", rich_help_panel=OPERATE)
app.add_typer(commands, name="commands", rich_help_panel=LOOK)
app.add_typer(operations, name="operations", rich_help_panel=OPERATE)
app.add_typer(token_keys, name="token-keys", rich_help_panel=KEYS)
app.add_typer(master_keys, name="master-keys", rich_help_panel=KEYS)
app.add_typer(schemas, name="schemas", rich_help_panel=AUTHOR)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"caudal {version('caudal')}")
        raise typer.Exit


@app.callback()
def caudal(
    _: Annotated[bool, flag("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Caudal: CQRS and event sourcing on PostgreSQL and Kafka-compatible streams."""
    configure_logging("text", "warning")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a command reports itself why a broker cannot be reached


@app.command(rich_help_panel=RUN)
@async_command
async def up(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for the data and the logs.", show_default=str(DEFAULT_DATA_DIR))
    ] = None,
    ephemeral: Annotated[bool, flag("--ephemeral", help="Keep the data in a new folder and remove it later.")] = False,
    ports: Annotated[Literal["default", "auto"], typer.Option(help="Well-known ports, or any free ones.")] = "default",
    broker: Annotated[
        Literal["embedded", "kafka"],
        typer.Option(help="The bundled broker, or a real Apache Kafka (needs mvn and a JDK 17)."),
    ] = "embedded",
    tokens: Annotated[bool, flag("--tokens", help="Print an access token for each role, valid for an hour.")] = False,
    as_json: Annotated[bool, flag("--json", help="Print one JSON line when ready.")] = False,
    log_format: LogFormat = None,
) -> int:
    """Run the whole engine on this machine until Ctrl-C: PostgreSQL, a broker, and all of Caudal's processes."""
    from deploy.local.up import StackOptions, run_stack

    if ephemeral and data_dir is not None:
        raise typer.BadParameter("either --data-dir or --ephemeral", param_hint="--ephemeral")
    settings = read_settings(log_format)
    configure_logging(settings.log_format, "warning")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is still starting is no news
    options = StackOptions(
        data_dir=None if ephemeral else data_dir or DEFAULT_DATA_DIR,
        broker=broker,
        automatic_ports=ports == "auto",
        as_json=as_json,
        with_tokens=tokens,
    )
    return await run_stack(options, settings)


@app.command(rich_help_panel=RUN)
@async_command
async def serve(
    service: Annotated[
        Literal["command-api", "worker", "relay", "projectors", "query-api", "operations", "gateway", "sidecar", "ui"],
        typer.Argument(),
    ],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME[:PORT]]…",
            help="The gateways or pages, each on its own port or another one, or the systems of a sidecar; without names all.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="Port of the API, or of health and metrics; 0 for any.", show_default="8000, sidecar 50051"),
    ] = None,
    end_with_parent: Annotated[
        bool, flag("--end-with-parent", help="Stop when the process that started this one ends.")
    ] = False,
    log_format: LogFormat = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run one of Caudal's processes, as in production."""
    from deploy.serving.serve import serve as serve_process
    from deploy.serving.serve import serve_gateways, serve_pages
    from deploy.serving.shutdown import end_with_parent as watch_parent

    if end_with_parent:
        watch_parent()
    settings = settings_or_stack(data_dir, log_format)
    configure_logging(settings.log_format, settings.log_level)
    if service not in ("gateway", "ui", "sidecar") and names:
        raise typer.BadParameter("only `gateway`, `ui` and `sidecar` take names")
    if service in ("gateway", "ui") and port is not None:
        raise typer.BadParameter("a port follows its name, as in `flight_reservations:5000`", param_hint="--port")
    match service:
        case "gateway":
            await serve_gateways(names or (), settings, host)
        case "ui":
            await serve_pages(names or (), settings, host)
        case "sidecar":
            from deploy.serving.sidecar import DEFAULT_PORT, serve_sidecar

            await serve_sidecar(names or (), settings, host, DEFAULT_PORT if port is None else port)
        case "operations":
            from deploy.operations_page.app import make_app
            from deploy.serving.serve import serve_made

            make = partial(make_app, stack=partial(stack_of, settings, data_dir))
            await serve_made(service, make, settings, host, _PORT if port is None else port)
        case _:
            await serve_process(service, settings, host, _PORT if port is None else port)


@app.command(rich_help_panel=RUN)
@async_command
async def migrate(
    recreate_views: Annotated[bool, flag("--recreate-views", help="Drop and refill views whose columns changed.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring every database to the schema that the installed systems need. It may run at any time, also twice at once."""
    from deploy.schemas.recorded_version import record_version
    from streams.migrations.migrate import migrate as migrate_databases

    settings = settings_or_stack(data_dir)
    catalog = installed_catalog(settings.systems)
    done = await migrate_databases(settings, catalog, recreate_views=recreate_views)
    done += await record_version(settings, catalog)
    out = Console(highlight=False)
    for line in done:
        out.print(line)
    out.print(f"{counted(len(done), 'migration')} applied." if done else "Nothing to do.")


@app.command(rich_help_panel=RUN)
@async_command
async def load(
    file: Annotated[Path, typer.Argument(help="NDJSON, a JSON array, or CSV with a header line.", exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option(help="The system that takes the command.")],
    command: Annotated[str, typer.Option(help="The command that each line becomes.")],
    into: Annotated[
        str | None, typer.Option(help="Field of the command that takes the line; default: the line is the command.")
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=TEXT", help="A field that every command gets; repeatable."),
    ] = None,
    numbers: Annotated[str, typer.Option(help="CSV columns that hold numbers, separated by commas.")] = "",
    form: Annotated[
        Literal["csv", "ndjson", "array"] | None,
        typer.Option("--format", help="Form of the file; default: by its name and its first character."),
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Delimiter of CSV cells, or `tab`; default: the one that the header shows.")
    ] = None,
    dry_run: Annotated[
        bool, flag("--dry-run", help="Send nothing; print the records, the columns, and what would be rejected.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="The command API; default: that of the running stack.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Commands sent together.")] = 200,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Batches in flight at once.")] = 4,
    token: Annotated[str | None, typer.Option(envvar="CAUDAL_TOKEN", help="Access token to send.")] = None,
) -> int:
    """Send every line of a file as a command. A second run adds nothing."""
    from deploy.operations.load.keyed_commands import Shape
    from deploy.operations.load.loading import Load, load_file, preview
    from deploy.operations.load.reading import FileOptions
    from deploy.operations.load.target import command_class, command_url

    settings = read_settings()
    options = FileOptions(
        form=form,
        delimiter=None if delimiter is None else _delimiter(delimiter),
        numbers=frozenset(filter(None, map(str.strip, numbers.split(",")))),
        max_bytes=settings.max_body_bytes,
        max_depth=settings.max_body_depth,
    )
    shape = Shape(fixed=dict(_field(text) for text in fixed or ()), into=into)
    wanted = Load(file, f"{system}/{command}", options, shape)
    if dry_run:
        return preview(wanted, command_class(system, command, url))
    target = command_url(system, command, url, data_dir.resolve())
    return await load_file(wanted, target, batch=batch, connections=connections, token=token)


@app.command(rich_help_panel=LOOK)
@async_command
async def replay(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The log to read.")],
    begin: Annotated[str | None, typer.Option("--from", help="First position, a date, or a time (2026-01-31T12:00Z).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last position (included), or a date or time (excluded).")] = None,
    stream: Annotated[str | None, typer.Option(help="Only events of this stream.")] = None,
    type: Annotated[list[str] | None, typer.Option(help="Only events of this type; repeatable.")] = None,
    correlation: Annotated[str | None, typer.Option(help="Only events of this correlation.")] = None,
    as_json: Annotated[bool, flag("--json", help="Print one JSON object a line.")] = False,
    as_csv: Annotated[bool, flag("--csv", help="Print CSV.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print a log's events as they were recorded: who did what, and why."""
    from deploy.operations.replay.events import ReplayOptions
    from deploy.operations.replay.events import replay as replay_events

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    options = ReplayOptions(
        context=ContextName.parse(context),
        begin=begin,
        end=end,
        stream=stream,
        types=type or (),
        correlation=correlation,
        format="json" if as_json else "csv" if as_csv else "table",
    )
    await replay_events(options, settings_of(data_dir))


@app.command(rich_help_panel=LOOK)
@async_command
async def why(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The log that the event is in.")],
    position: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The event's position.")],
    everything: Annotated[bool, flag("--all", help="Also show the engine's own events.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print the causes and the effects of an event, through every context of its system."""
    from deploy.operations.replay.causes import show_causes

    name = ContextName.parse(context)
    await show_causes(name, position, settings_of(data_dir), everything=everything, as_json=as_json)


@app.command(rich_help_panel=LOOK)
def mail(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List the mail that the local stack sent: its mail server keeps every message and delivers none."""
    from deploy.console.endpoints import mailbox_of
    from deploy.local.servers.mail import kept_in

    for message in kept_in(mailbox_of(data_dir.resolve())):
        typer.echo(f"{message.at:%Y-%m-%d %H:%M:%SZ}  {message.to}  {message.subject}")
        typer.echo(indent("\n".join(message.text.splitlines()), "    "))


@app.command("topic-docs", rich_help_panel=KEYS)
@report_errors()
def topic_docs(folder: Annotated[Path, typer.Argument(help="Folder to write to.", file_okay=False)]) -> None:
    """Write a page for each topic: its events or commands with their JSON Schemas, as Redpanda Console shows them."""
    from deploy.operations.topic_docs import write_topic_docs

    settings = read_settings()
    for path in write_topic_docs(folder, settings, installed_catalog(settings.systems)):
        typer.echo(path)


@app.command(rich_help_panel=AUTHOR)
@async_command
async def check() -> int:
    """Check that the installed systems fit together, without a database or a broker."""
    from deploy.authoring.check import check as check_systems

    return await check_systems(read_settings())


@app.command("try", rich_help_panel=AUTHOR)
@async_command
async def try_(
    system: Annotated[str, typer.Argument(help="Python file with SYSTEM, DOMAIN and PROJECTIONS, or an installed system.")],
    commands: Annotated[
        Path | None, typer.Argument(help="File with a command a line; default: typed, or standard input.", exists=True)
    ] = None,
) -> int:
    """Run a system in memory, without a database: type commands, and see events and rows as they come."""
    from deploy.authoring.trying import try_system

    return await try_system(system, commands)


@app.command("new", rich_help_panel=AUTHOR)
@report_errors()
def new(
    name: Annotated[str, typer.Argument(help="Name of the system and of its package, such as todo.")],
    saga: Annotated[bool, flag("--saga", help="Write a saga with a timer as well.")] = False,
) -> None:
    """Write a package with a system that runs, and its tests."""
    from deploy.authoring.new import new as write_package

    raise typer.Exit(write_package(name, Path.cwd(), with_saga=saga))


@schemas.command("check")
@report_errors()
def schemas_check() -> None:
    """Fail if a recorded event could not be read by the installed code."""
    from deploy.schemas.check import check

    raise typer.Exit(check(read_settings().systems))


@schemas.command("record")
@report_errors()
def schemas_record() -> None:
    """Record the shapes of new events and new schema versions in files, to be committed."""
    from deploy.schemas.check import record

    raise typer.Exit(record(read_settings().systems))


app.command("status", rich_help_panel=LOOK)(status)
app.command("doctor", rich_help_panel=LOOK)(doctor)
app.command("recover", rich_help_panel=OPERATE)(recover)
app.command("token", rich_help_panel=KEYS)(token)
app.command("signing-key", rich_help_panel=KEYS)(signing_key)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} does not read like field=text", param_hint="--set")
    return name, value


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise typer.BadParameter("is one character, not a quote and not a line break, or `tab`", param_hint="--delimiter")
    return text


if __name__ == "__main__":
    sys.exit(app())
