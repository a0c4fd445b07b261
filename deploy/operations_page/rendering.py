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
        "json": pretty,
        "with_code": _with_code,
    }
    return made


def _with_code(text: str) -> Markup:
    """Returns a text in which the parts between backticks are code."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def pretty(value: Any) -> str:
    """Returns JSON with a member a line: of a value, or of a text that holds one; any other text as it is."""
    try:
        found = orjson.loads(value) if isinstance(value, str | bytes) else value
        return orjson.dumps(found, default=str, option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, TypeError):
        return str(value)


def shortened(text: str, characters: int) -> str:
    """Returns a text, cut to so many characters."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
