"""Rendering: templates, with times, numbers and JSON as people read them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from deploy.console.printing import ago, counted, duration

_TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Returns the templates. Every value is escaped."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "ago": lambda moment: ago(moment, datetime.now(UTC)),
        "since": lambda moment: duration(datetime.now(UTC) - moment),
        "counted": counted,
        "number": lambda number: f"{number:,}",
        "rate": lambda number: f"{number:,.1f}",
        "moment": lambda moment: f"{moment:%Y-%m-%d %H:%M:%SZ}",
        "json": _json,
        "with_code": _with_code,
    }
    return made


def _with_code(text: str) -> Markup:
    """Returns a text in which the parts between backticks are code."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode()
