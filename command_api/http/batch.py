"""Batches: many commands in one request, one line of JSON each, each answered by one line.

A line is ``{"command": {…}, "idempotency_key": "…"}``; key, ``command_id``, ``if_match`` and ``if_none_match`` are optional,
blank lines do not count. The commands are independent: each is accepted or rejected by itself, in no promised order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from command_api.handling.handler import CommandHandler
from command_api.handling.idempotency import KEY, command_id
from command_api.handling.validation import check_plain, parse_json, validate_command, violations_of
from command_api.http.body import content_type_of, read_body
from command_api.http.paths import receipt_as_json
from command_api.http.preconditions import IF_MATCH, check_stated, expectation
from command_api.http.request import envelope_of
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Invalid, Malformed, TooLarge, Violation
from schemas.expected_version import ExpectedVersion
from schemas.message import Command
from schemas.values.literals import UUID_FORM
from streams.http.problems import internal_error, problem_of
from streams.http.request_context import RequestContext, context_of
from streams.settings import Settings

MEDIA_TYPE = "application/x-ndjson"
NO_HEADERS = "a batch takes no header of one command"


class BatchLine(BaseModel):
    """One line of a batch."""

    model_config = ConfigDict(extra="forbid")

    command: dict[str, Any] = Field(description="The command, as it would be sent alone.")
    idempotency_key: Annotated[str, Field(pattern=KEY.pattern)] | None = None
    command_id: Annotated[str, Field(json_schema_extra={"format": "uuid", "pattern": UUID_FORM.pattern})] | None = Field(
        default=None, description="A UUID of the sender's, instead of a key."
    )
    if_match: Annotated[str, Field(json_schema_extra={"pattern": IF_MATCH})] | None = Field(
        default=None, description="The version, as ETag, that the stream must have; * for any."
    )
    if_none_match: Literal["*"] | None = Field(default=None, description="The stream must not exist.")


class BatchAnswer(BaseModel):
    """The answer to one line: a receipt, or the problem document of its error."""

    status: int = Field(description="The status that the command would have got alone.")
    repeated: bool | None = Field(default=None, description="Whether it is the first answer again, to a repeat.")


def is_batch(request: RequestContext) -> bool:
    """Returns whether a request's body is a batch."""
    return content_type_of(request.headers) == MEDIA_TYPE


class _Line(NamedTuple):
    number: int
    command: CommandEnvelope[Command]
    expected: ExpectedVersion


class BatchEndpoint:
    """Handles batches."""

    def __init__(self, settings: Settings, handler: CommandHandler, catalog: Catalog) -> None:
        self._settings, self._handler, self._catalog = settings, handler, catalog
        self._places = asyncio.Semaphore(settings.max_requests_in_progress)
        """Of the commands of all batches of the process."""

    async def answer(self, request: Request, command: type[Command], count: Callable[[int], Awaitable[None]]) -> Response:
        """Handles every command of a batch and answers with a line for each, in the order of the lines.

        ``count`` gets the number of the batch's commands. Raises `TooLarge`, and what ``count`` raises, for the batch as a
        whole; an error in one line is that line's answer.
        """
        lines = await self._lines(request)
        await count(len(lines))
        by_id: dict[object, list[_Line]] = {}
        answers: dict[int, Mapping[str, Any]] = {}
        for number, text in enumerate(lines):
            try:
                line = self._parsed(request, command, number, text)
                by_id.setdefault(line.command.id, []).append(line)
            except CaudalError as error:
                answers[number] = _problem(request, error)

        async def handle_in_order(same_id: Sequence[_Line]) -> None:
            # Lines with one key follow each other, so that the second finds the first one's receipt.
            for line in same_id:
                async with self._places:
                    answers[line.number] = await self._answer(request, line)

        await asyncio.gather(*map(handle_in_order, by_id.values()))
        body = b"".join(orjson.dumps(answers[number]) + b"\n" for number in range(len(lines)))
        return Response(body, media_type=MEDIA_TYPE)

    async def _lines(self, request: Request) -> list[bytes]:
        for header in ("if-match", "if-none-match", "idempotency-key", "x-command-id"):
            if header in request.headers:
                own = header.removeprefix("x-").replace("-", "_")
                raise Malformed(f"{NO_HEADERS}: use {own} in the line in the place of {header}")
        body = await read_body(request, context_of(request).headers, self._settings.max_command_batch_bytes, (MEDIA_TYPE,))
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) > self._settings.max_command_batch_lines:
            raise TooLarge(f"a batch may have {self._settings.max_command_batch_lines} lines at most")
        return lines

    def _parsed(self, request: Request, command: type[Command], number: int, text: bytes) -> _Line:
        if len(text) > self._settings.max_body_bytes:
            raise TooLarge(f"a command may have {self._settings.max_body_bytes} bytes at most")
        document = parse_json(text, self._settings.max_body_depth + 1)
        try:
            line = BatchLine.model_validate(document)
        except ValidationError as error:
            raise Invalid("the line is not valid", violations_of(error)) from error
        context = self._catalog.context_of(command)
        expected = expectation(line.if_match, line.if_none_match)
        check_stated(self._catalog.context(context), expected)
        try:
            data = check_plain(validate_command(line.command, command))
        except Invalid as error:
            raise Invalid(
                error.detail, [Violation(f"/command{one.pointer}", one.detail) for one in error.violations]
            ) from error
        id = command_id(context, line.idempotency_key, line.command_id)
        return _Line(number, envelope_of(context_of(request), data, id), expected)

    async def _answer(self, request: Request, line: _Line) -> Mapping[str, Any]:
        try:
            receipt = await self._handler.handle(line.command, expected=line.expected)
        except Exception as error:
            return _problem(request, error)
        status = 201 if receipt.began_stream else 200
        return {"status": status, **receipt_as_json(receipt), "repeated": receipt.repeated}


def _problem(request: Request, error: Exception) -> Mapping[str, Any]:
    if isinstance(error, CaudalError):
        problem = problem_of(error, context_of(request).correlation_id)
        if problem.status != 500:
            return problem.model_dump(exclude_none=True)
    return internal_error(request, error).model_dump(exclude_none=True)
