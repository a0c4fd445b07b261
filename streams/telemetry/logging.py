"""Structured logs of every process: text for people, or one JSON object a line for machines."""

import logging
import sys
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Literal

import structlog

from streams.telemetry.tracing import current_trace_id

CORRELATION_ID: ContextVar[str | None] = ContextVar("correlation_id", default=None)
"""The correlation id of the current request; every line that is logged during the request has it."""

_QUIET = ("aiokafka", "faust", "mode", "asyncio", "kafka", "uvicorn.access", "httpx")

_DRIVERS = ("aiokafka", "asyncpg", "faust", "mode")
_REPEAT_SECONDS = 5.0


def configure_logging(format: Literal["text", "json"], level: str) -> None:
    """Sends structlog's and the standard library's logs to standard error, in one form."""
    shared: list[structlog.typing.Processor] = [
        _with_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.typing.Processor]
    if format == "json":
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain: a traceback must not show the values of variables, which may be passwords.
        plain = structlog.dev.plain_traceback
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    handler.addFilter(_Throttle())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Throttle(logging.Filter):
    """Passes each kind of a driver's line once in five seconds, because an outage repeats it; shortens warnings to one line."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the line is logged."""
        if record.name.partition(".")[0] not in _DRIVERS:
            return True
        kind, now = (record.name, str(record.msg)), time.monotonic()
        if now - self._passed.get(kind, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        self._passed = {one: at for one, at in self._passed.items() if now - at < _REPEAT_SECONDS} | {kind: now}
        if record.exc_info and record.levelno <= logging.WARNING:
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
            record.exc_info = None
        return True


def _with_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (correlation_id := CORRELATION_ID.get()) is not None:
        event.setdefault("correlation_id", correlation_id)
    if (trace_id := current_trace_id()) is not None:
        event.setdefault("trace_id", trace_id)
    return event
