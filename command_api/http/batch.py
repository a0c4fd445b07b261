"""Batches: many commands in one request, a line of JSON each, every one answered by a line of its own.

A line reads ``{"command": {…}, "idempotency_key": "…"}``; key, ``command_id``, ``if_match`` and ``if_none_match`` are optional,
and blank lines do not count. The commands of a batch are independent: each is accepted or rejected for itself, they are handled
side by side, in no promised order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from command_api.handling.handler import CommandHandler
from command_api.http.body import check_plain, content_type_of, parse_json, read_body, validate_command, violations_of
from command_api.http.preconditions import check_stated, expectation
from command_api.http.request import KEY, command_id, issued
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Invalid, Malformed, TooLarge
from schemas.expected_version import ExpectedVersion
from schemas.message import Command
from streams.http.problems import internal_error, problem_of
from streams.http.request_context import correlation_id
from streams.settings import Settings

MEDIA_TYPE = "application/x-ndjson"


class BatchLine(BaseModel):
    """One line of a batch."""

    model_config = ConfigDict(extra="forbid")

    command: dict[str, Any] = Field(description="The command, as it would be sent alone.")
    idempotency_key: Annotated[str, Field(pattern=KEY.pattern)] | None = None
    command_id: str | None = Field(default=None, description="A UUID of the sender's, in the place of a key.")
    if_match: str | None = Field(default=None, description="The version, as ETag, that the stream must have; * for any.")
    if_none_match: Literal["*"] | None = Field(default=None, description="The stream must not exist.")


def is_batch(request: Request) -> bool:
    """Whether a request's body is a batch."""
    return content_type_of(request) == MEDIA_TYPE


async def take_batch(
    request: Request,
    settings: Settings,
    handler: CommandHandler,
    catalog: Catalog,
    command: type[Command],
    count: Callable[[int], Awaitable[None]],
) -> Response:
    """Handles every command of a batch and answers with a line for each, in the order of the lines.

    ``count`` gets how many further requests the batch stands for. Raises `TooLarge`, and what ``count`` raises, for the batch
    as a whole; whatever is wrong with one line is said in its answer.
    """
    for header in ("if-match", "if-none-match", "idempotency-key", "x-command-id"):
        if header in request.headers:
            own = header.removeprefix("x-").replace("-", "_")
            raise Malformed(f"{header} is said of one command, not of a batch; a line has its own {own}")
    body = await read_body(request, settings.max_command_batch_bytes, MEDIA_TYPE)
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > settings.max_command_batch_lines:
        raise TooLarge(f"a batch may have {settings.max_command_batch_lines} lines at most")
    await count(len(lines) - 1)

    by_id: dict[object, list[tuple[int, CommandEnvelope[Command], ExpectedVersion]]] = {}
    answers: dict[int, Mapping[str, Any]] = {}
    for number, line in enumerate(lines):
        try:
            given, expected = _given(request, settings, catalog, command, line)
            by_id.setdefault(given.id, []).append((number, given, expected))
        except CaudalError as error:
            answers[number] = _problem(request, error)

    async def take(numbered: Sequence[tuple[int, CommandEnvelope[Command], ExpectedVersion]]) -> None:
        # Lines with one key follow each other, so that the second finds the first one's receipt.
        for number, given, expected in numbered:
            answers[number] = await _answer(request, handler, given, expected)

    await asyncio.gather(*map(take, by_id.values()))
    body = b"".join(orjson.dumps(answers[number]) + b"\n" for number in range(len(lines)))
    return Response(body, media_type=MEDIA_TYPE)


async def _answer(
    request: Request, handler: CommandHandler, given: CommandEnvelope[Command], expected: ExpectedVersion
) -> Mapping[str, Any]:
    try:
        receipt = await handler.handle(given, expected=expected)
    except Exception as error:
        return _problem(request, error)
    return {
        "status": 201 if receipt.began_stream else 200,
        "command_id": str(receipt.command_id),
        "stream": receipt.stream,
        "version": receipt.version,
        "position": receipt.position,
        "repeated": receipt.repeated,
    }


def _problem(request: Request, error: Exception) -> Mapping[str, Any]:
    if isinstance(error, CaudalError):
        problem = problem_of(error, correlation_id(request))
        if problem.status != 500:
            return problem.model_dump(exclude_none=True)
    return internal_error(request, error).model_dump(exclude_none=True)


def _given(
    request: Request, settings: Settings, catalog: Catalog, command: type[Command], line: bytes
) -> tuple[CommandEnvelope[Command], ExpectedVersion]:
    if len(line) > settings.max_body_bytes:
        raise TooLarge(f"a command may have {settings.max_body_bytes} bytes at most")
    document = parse_json(line, settings.max_body_depth + 1)
    try:
        wrapped = BatchLine.model_validate(document)
    except ValidationError as error:
        raise Invalid("the line is not one of a batch", violations_of(error)) from error
    context = catalog.context_of(command)
    expected = expectation(wrapped.if_match, wrapped.if_none_match)
    check_stated(catalog.context(context), expected)
    given = check_plain(validate_command(wrapped.command, command))
    return issued(request, given, command_id(context, wrapped.idempotency_key, wrapped.command_id)), expected
