"""The ``caudal`` command.

Each command imports what it runs when it is called: five processes start at once, and none should load the others' rooms.
"""

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer
import uvloop
from rich.console import Console

from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, complaining, exit_with, read_settings
from deploy.operations.dead_letters.commands import dead_letters
from deploy.operations.keys import master_keys, token_keys
from deploy.operations.projections.commands import projections
from deploy.operations.relay.commands import relay
from deploy.operations.sagas.commands import processes
from deploy.operations.subscriptions.commands import subscriptions
from deploy.operations.verify.commands import verify
from schemas.catalog import Catalog, ContextName
from streams.telemetry.logging import configure_logging

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(verify, name="verify")
app.add_typer(subscriptions, name="subscriptions")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(projections, name="projections")
app.add_typer(processes, name="sagas")
app.add_typer(relay, name="relay")
app.add_typer(token_keys, name="token-keys")
app.add_typer(master_keys, name="master-keys")
schemas = typer.Typer(no_args_is_help=True, help="Hold event classes against the shapes that are recorded in files.")
app.add_typer(schemas, name="schemas")

LogFormat = Annotated[Literal["text", "json"] | None, typer.Option(help="Lines for people, or JSON for machines.")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"caudal {version('caudal')}")
        raise typer.Exit


@app.callback()
def caudal(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Caudal: CQRS and event sourcing on PostgreSQL and Kafka-compatible streams."""


@app.command()
def up(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for the data and the logs.", show_default=str(DEFAULT_DATA_DIR))
    ] = None,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="Data in a new folder, removed at the end.")] = False,
    ports: Annotated[Literal["default", "auto"], typer.Option(help="Well-known ports, or any free ones.")] = "default",
    broker: Annotated[
        Literal["embedded", "kafka"],
        typer.Option(help="The one that comes along, or a real Apache Kafka (needs mvn and a JDK 17)."),
    ] = "embedded",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line when ready.")] = False,
    log_format: LogFormat = None,
) -> None:
    """Run the whole engine on this machine, until Ctrl-C: PostgreSQL, broker, and all of Caudal's processes."""
    from deploy.local.up import run_stack

    if ephemeral and data_dir is not None:
        raise typer.BadParameter("either --data-dir or --ephemeral", param_hint="--ephemeral")
    settings = read_settings(log_format)
    configure_logging(settings.log_format, "warning")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is still starting is no news
    folder = None if ephemeral else data_dir or DEFAULT_DATA_DIR
    exit_with(uvloop.run(run_stack(folder, settings, broker, automatic_ports=ports == "auto", as_json=as_json)))


@app.command()
def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Show each process, each log's head, and each subscription's checkpoint and lag."""
    from deploy.operations.status import show_status

    settings = read_settings()
    exit_with(complaining(lambda: uvloop.run(show_status(data_dir.resolve(), settings, as_json=as_json))))


@app.command()
def serve(
    service: Annotated[Literal["command-api", "worker", "relay", "projectors", "query-api"], typer.Argument()],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the API, or of health and metrics; 0 for any.")] = 8000,
    log_format: LogFormat = None,
) -> None:
    """Run one of Caudal's processes, as in production."""
    from deploy.serving.serve import serve as serve_process

    settings = read_settings(log_format)
    configure_logging(settings.log_format, settings.log_level)
    complaining(lambda: uvloop.run(serve_process(service, settings, host, port)))


@app.command()
def migrate(
    recreate_views: Annotated[
        bool, typer.Option("--recreate-views", help="Make views whose shape has changed anew; the log refills them.")
    ] = False,
) -> None:
    """Bring every database to what the installed systems need; safe to run at any time, twice at once too."""
    from streams.migrations.migrate import migrate as migrate_databases

    settings = read_settings()
    done = complaining(
        lambda: uvloop.run(migrate_databases(settings, Catalog.installed(settings.systems), recreate_views=recreate_views))
    )
    console = Console(highlight=False)
    for line in done:
        console.print(line)
    console.print("Nothing to do." if not done else f"{len(done)} migrations applied.")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="NDJSON, a JSON array, or CSV with a header line.", exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option(help="The system that takes the command.")],
    command: Annotated[str, typer.Option(help="The command that every line becomes.")],
    into: Annotated[
        str | None, typer.Option(help="Field of the command that takes the line; unset: the line is the command.")
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=TEXT", help="A field that every command gets; repeatable."),
    ] = None,
    numbers: Annotated[str, typer.Option(help="CSV columns that hold numbers, separated by commas.")] = "",
    url: Annotated[str | None, typer.Option(help="The command API; unset: the stack that runs from --data-dir.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Commands sent together.")] = 200,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Batches under way at once.")] = 4,
) -> None:
    """Send every line of a file as a command; a second run adds nothing."""
    from deploy.operations.load import Shape, command_url, load_file

    fields = dict(_field(text) for text in fixed or ())
    shape = Shape(fixed=fields, into=into, numbers=frozenset(filter(None, numbers.split(","))))
    target = complaining(lambda: command_url(system, command, url, data_dir.resolve()))
    work = load_file(file, target, shape, batch=batch, connections=connections)
    exit_with(complaining(lambda: uvloop.run(work)))


@app.command()
def replay(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The log to read.")],
    begin: Annotated[str | None, typer.Option("--from", help="First position, or a time such as 2026-01-31T12:00Z.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last position, or a time before which.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only events of this stream.")] = None,
    type: Annotated[list[str] | None, typer.Option(help="Only events of this type; repeatable.")] = None,
    correlation: Annotated[str | None, typer.Option(help="Only events of this correlation.")] = None,
    format: Annotated[Literal["table", "ndjson", "csv"], typer.Option(help="How to print them.")] = "table",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print a log's events again, as they were recorded, with who did what and why."""
    from deploy.operations.replay import Replay, replay
    from query_api.audit.history import Selection, place
    from streams.log.search import Conditions

    def asked() -> Replay:
        conditions = Conditions(stream, tuple(type) if type else None, correlation)
        places = (None if text is None else place(text, name) for text, name in ((begin, "--from"), (end, "--to")))
        return Replay(ContextName.parse(context), Selection(conditions, *places), format)

    wanted = complaining(asked)
    exit_with(complaining(lambda: uvloop.run(replay(wanted, data_dir.resolve(), read_settings()))))


@app.command()
def why(
    context: Annotated[str, typer.Argument(metavar="SYSTEM.CONTEXT", help="The log that the event is in.")],
    position: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The event's position.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print what led to an event and what came of it, through every context of its system."""
    from deploy.operations.replay import show_causes

    name = complaining(lambda: ContextName.parse(context))
    exit_with(complaining(lambda: uvloop.run(show_causes(name, position, data_dir.resolve(), read_settings()))))


@app.command()
def mail(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List the mail that the local stack has sent: its mail server keeps every message and delivers none."""
    from deploy.local.endpoints import mailbox_of
    from deploy.local.mail import kept_in

    for message in kept_in(mailbox_of(data_dir.resolve())):
        typer.echo(f"{message.at:%Y-%m-%d %H:%M:%S}  {message.to}  {message.subject}\n    {message.text}")


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="Whom it is for: a user's id, or any name.")],
    roles: Annotated[list[str] | None, typer.Option("--role", help="A role; repeatable.")] = None,
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="A scope; repeatable.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print an access token, signed with the running stack's key, or the one in the folder that CAUDAL_TOKEN_KEYS names."""
    from deploy.console.connection import connected
    from streams.security.tokens import TokenIssuer

    def issue() -> str:
        settings = read_settings()
        if settings.token_keys is None:
            settings = connected(settings, data_dir.resolve())
        known = Catalog.installed(settings.systems).roles().union(*(access.roles for access in settings.access.values()))
        if strange := sorted(set(roles or ()) - known):
            typer.echo(f"Nothing is for the role {', '.join(strange)}; there are {', '.join(sorted(known))}.", err=True)
        return TokenIssuer(settings).issue(subject, roles or (), scopes or ()).text

    typer.echo(complaining(issue))


@app.command("topic-docs")
def topic_docs(folder: Annotated[Path, typer.Argument(help="Folder to write to.", file_okay=False)]) -> None:
    """Write a page for each topic: its events or commands with their JSON Schemas, as Redpanda Console shows them."""
    from deploy.operations.topic_docs import write_topic_docs

    settings = read_settings()
    for path in write_topic_docs(folder, settings, Catalog.installed(settings.systems)):
        typer.echo(path)


@app.command("signing-key")
def signing_key(
    folder: Annotated[Path, typer.Argument(help="Folder for signing.pem and public.pem.", file_okay=False)],
    unless_there: Annotated[bool, typer.Option("--unless-there", help="Leave a pair that is there already.")] = False,
) -> None:
    """Make a pair of keys to sign the logs' heads with: the private one for CAUDAL_SIGNING_KEY, the public one for all."""
    from streams.integrity.signing import Signer, make_keys, write_public_key

    folder.mkdir(parents=True, exist_ok=True)
    private, public = folder / "signing.pem", folder / "public.pem"
    if not (unless_there and private.exists()):
        complaining(lambda: make_keys(private, public))
    elif not public.exists():  # somebody stopped between the two
        complaining(lambda: write_public_key(Signer(private).public, public))
    typer.echo(f"{private}\n{public}")


@schemas.command("check")
def schemas_check() -> None:
    """Fail where an event that may have been recorded could not be read any more."""
    from deploy.schemas.check import check

    exit_with(complaining(check))


@schemas.command("record")
def schemas_record() -> None:
    """Record the shapes of new events and new schema versions in files, to be committed."""
    from deploy.schemas.check import record

    exit_with(complaining(record))


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} does not read like field=text", param_hint="--set")
    return name, value


if __name__ == "__main__":
    sys.exit(app())
