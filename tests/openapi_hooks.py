"""Hooks of Schemathesis: batches, and rejections that a document states. Loaded by `SCHEMATHESIS_HOOKS`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.openapi.checks import RejectedPositiveData

from schemas.errors import NotYetSeen
from schemas.values.stated import RULES
from streams.http.problems import PROBLEM_TYPE, type_of

NDJSON = "application/x-ndjson"
BY_RULE = {"invalid", "malformed"}
"""Kinds of problems of which each must be a rule that the document states."""


@schemathesis.serializer(NDJSON)
def lines(_: object, value: Any) -> bytes:
    """Returns a batch: a line for each element."""
    return "".join(json.dumps(one) + "\n" for one in value).encode()  # orjson writes no integers beyond 64 bits


@schemathesis.deserializer(NDJSON)
def elements(_: object, response: Response) -> Any:
    """Returns the values of the lines of an answer."""
    return [orjson.loads(line) for line in response.content.splitlines()]


@schemathesis.hook
def filter_case(_: object, case: Case[Any]) -> bool:
    """Leaves out batches with wrong lines, which are answered line by line, and cases that are not what they seem.

    A row with the key ``live`` is the path of another operation. The coverage phase takes ``0`` for a header whose pattern it
    does not get a value for.
    """
    if dict(case.path_parameters or {}).get("key") == "live":
        return False
    if case.meta is None:
        return True
    if case.meta.generation.mode.is_negative:
        return case.media_type != NDJSON
    sent = {name.lower(): str(value) for name, value in dict(case.headers or {}).items()}
    return all(re.search(pattern, sent.get(name, "")) for name, pattern in patterns(case) if name in sent)


def patterns(case: Case[Any]) -> Iterator[tuple[str, str]]:
    """Yields the headers of an operation that have a pattern, in small letters."""
    for one in case.operation.definition.raw.get("parameters", ()):
        schema = one["schema"]
        if "$ref" in schema:
            schema = case.operation.schema.raw_schema["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if one["in"] == "header" and "pattern" in schema:
            yield one["name"].lower(), schema["pattern"]


@schemathesis.check
def nothing_but_a_wait_is_unavailable(_: object, response: Response, case: Case[Any]) -> None:
    """Fails for 503, unless a read waited in vain for a consistency token that was made up."""
    if response.status_code == 503:
        waited = {"consistency-token"} & {name.lower() for name in case.headers or {}}
        assert response.json()["type"] == type_of(NotYetSeen.kind) if is_problem(response) else waited, response.text


@schemathesis.hook
def filter_failure(_: object, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Leaves out a rejection of valid data if the document has its kind, and for invalid data the rule that it breaks.

    One in the words of a system's clients names no kind: the document must have its status, and the same request is sent for
    problem documents, too.
    """
    if not isinstance(failure, RejectedPositiveData):
        return True
    if is_problem(response):
        return not is_documented(case, response.json())
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    return "application/json" not in described.get("content", {})


def is_problem(response: Response) -> bool:
    """Returns whether an answer is a problem document."""
    return any(PROBLEM_TYPE in value for value in response.headers.get("content-type", ()))


def is_documented(case: Case[Any], problem: Mapping[str, Any]) -> bool:
    """Returns whether an operation's description has the kind of a problem, and the rules that its details begin with."""
    operation, document = case.operation.definition.raw, case.operation.schema.raw_schema
    stated = operation["responses"].get(str(problem["status"]), {}).get("description", "")
    kind = problem["type"].rpartition(":")[2]
    if f"`{problem['type']}`" not in stated:
        return False
    if kind not in BY_RULE:
        return True
    allowed = tuple({*document["info"].get(RULES, ()), *rules(operation, document, set())})
    details = [one["detail"].removeprefix("Value error, ") for one in problem.get("errors", ())] or [problem["detail"]]
    return all(detail.startswith(allowed) for detail in details)


def rules(value: Any, document: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    """Yields the rules that a part of a document states, and the schemas to which it refers."""
    if isinstance(value, list):
        for inner in value:
            yield from rules(inner, document, seen)
    if isinstance(value, Mapping):
        yield from value.get(RULES, ())
        if isinstance(reference := value.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            yield from rules(document["components"]["schemas"][reference.rpartition("/")[2]], document, seen)
        for name, inner in value.items():
            if name not in ("responses", RULES):
                yield from rules(inner, document, seen)
