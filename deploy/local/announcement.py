"""The first screen of ``caudal up``: addresses, a first call, and the next commands. It fits into 80 x 24."""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from command_api.http import paths as commands
from deploy.console.endpoints import Endpoints
from deploy.console.options import DEFAULT_DATA_DIR
from deploy.console.printing import relative
from deploy.local.example import Example, OwnPath, example_of
from query_api.queries import discovery as queries
from query_api.queries.query import Query
from schemas.catalog import Catalog
from schemas.system import ENGINE
from streams.discovery import installed_catalog
from streams.security.tokens import TokenIssuer
from streams.settings import Settings

_WIDTH = 79
_NAME_WIDTH = 13


def screen(endpoints: Endpoints, catalog: Catalog, example: Example | None, seconds: float) -> list[str]:
    """Returns the lines of the screen."""
    data, logs = (relative(path) for path in (endpoints.data_dir, endpoints.log_dir))
    places = {
        "Look at it": f"{endpoints.operations}/enter/{endpoints.page_code}",
        "Command API": f"{endpoints.command_api}/docs",
        "Query API": f"{endpoints.query_api}/docs",
        "Broker": f"{endpoints.brokers} (Kafka protocol)",
        "PostgreSQL": endpoints.postgres,
        "Mail": f"{endpoints.mail} (kept, never delivered: caudal mail)",
        "Data, logs": f"{data}, {logs}",
    }
    said = [f"Caudal is ready after {seconds:.1f} s."]
    said += [f"{name:{_NAME_WIDTH}}{where}" for name, where in places.items()]
    said += _systems(endpoints, catalog)
    said += [
        f"{'Live pages' if n == 0 else '':{_NAME_WIDTH}}{url} {name}" for n, (name, url) in enumerate(endpoints.pages.items())
    ]
    if example is not None:
        said += ["", "A first command and a query, for another terminal:", *_calls(endpoints, example)]
    return [
        *said,
        "",
        *_next_commands(endpoints),
        *_roles(catalog),
        "",
        "No token is needed where a system asks for no role. Ctrl-C stops everything.",
    ]


def _systems(endpoints: Endpoints, catalog: Catalog) -> list[str]:
    """Returns the systems, each with the address of its gateway: these differ in their ports, so one address is whole."""
    gateways = {name: urlsplit(url) for name, url in endpoints.gateways.items()}
    without = sorted(catalog.systems.keys() - {ENGINE} - {name.partition(".")[0] for name in gateways})
    shown = [f"{name} :{url.port}" for name, url in gateways.items()]
    if gateways:
        name, url = next(iter(gateways.items()))
        shown[0] = f"{name} {url.geturl()}"
    lines = [f"{'Systems':{_NAME_WIDTH}}"]
    for one in (*shown, *without):
        begins = len(lines[-1]) == _NAME_WIDTH
        if not begins and len(lines[-1]) + len(one) + 3 > _WIDTH:
            lines[-1] += ","
            lines.append(" " * _NAME_WIDTH)
            begins = True
        lines[-1] += one if begins else f", {one}"
    return lines


def tokens(endpoints: Endpoints, roles: Sequence[str]) -> list[str]:
    """Returns a line a role, ``ROLE=token``, to be pasted into a shell; each token is that of a user ``demo-…``."""
    issuer = TokenIssuer(endpoints.applied_to(Settings()))
    return [f"{role.upper()}={issuer.issue(f'demo-{role}'.replace('_', '-'), [role]).text}" for role in sorted(roles)]


def announce(endpoints: Endpoints, notes: Sequence[str], seconds: float, *, as_json: bool, with_tokens: bool) -> None:
    """Prints that the stack is ready: the screen, or one JSON line; with tokens only if they are asked for.

    ``notes`` are sentences about what the start has changed.
    """
    catalog = installed_catalog(endpoints.systems)
    printed = tokens(endpoints, sorted(catalog.roles())) if with_tokens else []
    if as_json:
        content = json.loads(endpoints.as_json())
        if with_tokens:
            content["tokens"] = dict(line.split("=", 1) for line in printed)
        if notes:
            content["notes"] = list(notes)
        said = [json.dumps(content)]
    else:
        # Tokens are long: they come first, so that the screen stays in view.
        said = [*printed, *(f"Note: {note}." for note in notes), *screen(endpoints, catalog, _example(catalog), seconds)]
    out = Console(highlight=False, soft_wrap=True, file=sys.stdout)
    out.print("\n".join(said), markup=False)
    sys.stdout.flush()


def _example(catalog: Catalog) -> Example | None:
    paths = {
        system: [
            OwnPath(route.path, route.command, route.body.model_json_schema())
            for route in own
            if isinstance(route, commands.CommandPath) and route.method == "POST" and route.body is not None
        ]
        for system, own in commands.installed(catalog).items()
    }
    views = {
        system: [(query.path, query.view) for query in own if isinstance(query, Query)]
        for system, own in queries.installed(catalog).items()
    }
    return example_of(catalog, paths, views)


def _calls(endpoints: Endpoints, example: Example) -> list[str]:
    command = f"curl -s {endpoints.command_api}{example.path} -H 'Content-Type: application/json'"
    body = f"-d {shlex.quote(json.dumps(example.body, ensure_ascii=False))}"
    calls = [f"{command} \\", f"  {body}"] if len(command) + len(body) > _WIDTH else [f"{command} {body}"]
    return calls if example.query is None else [*calls, f"curl -s {endpoints.query_api}{example.query}"]


def _next_commands(endpoints: Endpoints) -> list[str]:
    caudal = os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).name == "caudal" else "caudal"
    where = "" if Path(endpoints.data_dir) == DEFAULT_DATA_DIR.resolve() else f" --data-dir {shlex.quote(endpoints.data_dir)}"
    said = {
        f"{caudal} status{where}": "is everything healthy?",
        f"{caudal} verify{where}": "do logs, topics and views agree?",
        f"{caudal} token NAME --role ROLE{where}": "a token for protected calls",
    }
    width = max(map(len, said))
    is_narrow = width + 3 + max(map(len, said.values())) <= _WIDTH
    return [f"{command:{width}}   {why}" if is_narrow else command for command, why in said.items()]


def _roles(catalog: Catalog) -> list[str]:
    """Returns a line with the roles, as many as it has room for."""
    roles = sorted(catalog.roles())
    if not roles:
        return []
    said = f"Roles: {roles[0]}"
    for role in roles[1:]:
        if len(said) + len(role) + 5 > _WIDTH:
            return [f"{said}, …"]
        said += f", {role}"
    return [said]
