"""The command line that does the same as a button."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.operations.operation import Operation
from deploy.operations.run import Parameters
from deploy.operations.verify.report import Part
from deploy.operations.verify.run import Verify


@dataclass(frozen=True, slots=True)
class _Line:
    """How the parameters of an operation are given on the command line."""

    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    """Of a truth value that is true; ``!name`` for one that is false."""


_LINES: Mapping[str, _Line] = {
    "subscriptions/pause": _Line(("subscription",)),
    "subscriptions/resume": _Line(("subscription",)),
    "subscriptions/reset": _Line(("subscription",), {"to": "--to", "context": "--context"}, {"keep_rows": "--keep-rows"}),
    "dead-letters/redrive": _Line(("names",), {"subscription": "--subscription", "stream": "--stream"}),
    "dead-letters/skip": _Line(("names",), {"subscription": "--subscription", "stream": "--stream"}),
    "dead-letters/edit": _Line(("name",)),
    "projections/rebuild": _Line(("view",), {"workers": "--workers"}, {"restart": "--restart", "!switch": "--no-switch"}),
    "projections/rollback": _Line(("view",), {}, {"other_shape": "--other-shape"}),
    "projections/discard": _Line(("view",)),
    "sagas/retry": _Line(("saga_id",)),
    "sagas/cancel": _Line(("saga_id",)),
    "relay/backfill": _Line(("context",), {"begin": "--from", "end": "--to"}),
    "recover": _Line(("context",)),
    "subjects/find": _Line(("subject",)),
    "subjects/erase": _Line(("subject",), {}, {"in_advance": "--in-advance"}),
    "verify": _Line((), {}, {"require_signed": "--require-signed", "repair": "--repair"}),
}


_KINDS: Mapping[Part, str] = {"log": "log", "topic": "topics", "view": "views", "file": "files"}
"""The subcommand of `caudal verify` for one part alone."""


def command_line(operation: Operation[Any], parameters: Parameters) -> str:
    """Returns the command that only tries an operation with these parameters; ``--apply`` does it."""
    line = _LINES[operation.name]
    words = ["caudal", *operation.name.split("/")]
    if isinstance(parameters, Verify) and len(parameters.parts) == 1:
        words += [_KINDS[parameters.parts[0]], *parameters.names]
    for name in line.arguments:
        value = getattr(parameters, name)
        words += value if isinstance(value, tuple) else [str(value)]
    for name, option in line.options.items():
        if (value := getattr(parameters, name)) is not None:
            words += [option, str(value)]
    for name, option in line.flags.items():
        if getattr(parameters, name.removeprefix("!")) is not name.startswith("!"):
            words.append(option)
    return shlex.join(words)
