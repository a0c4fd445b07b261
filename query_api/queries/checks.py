"""Checks of declared queries when the process starts: each error names the path and the field."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import ARRAY

from query_api.queries.query import Query
from query_api.queries.question import OwnQuery, Question
from schemas.catalog import Catalog
from schemas.errors import CaudalError, Misconfigured
from schemas.sensitive import encrypted_fields
from schemas.system import ENGINE
from streams.database.view_tables import column_type
from streams.http.reserved_paths import why_not_own

_RESERVED = ("/views", "/audit", "/schema-registry", "/asyncapi.json")
"""The engine's paths in this API, beside those of both APIs."""


def check(catalog: Catalog, queries: Mapping[str, tuple[OwnQuery, ...]]) -> None:
    """Raises `Misconfigured` for the first query, of any system, that cannot work."""
    paths: dict[str, str] = {}
    for system, declared in queries.items():
        for query in _each(system, declared):
            for problem in problems(catalog, system, query):
                raise Misconfigured(f"the query {query.path} of {system}: {problem}")
            if query.path in paths:
                raise Misconfigured(f"GET {query.path} of {system} is a path of {paths[query.path]} too: change one")
            paths[query.path] = system


def problems(catalog: Catalog, system: str, query: OwnQuery) -> Iterator[str]:
    """Yields what keeps a query from working."""
    if isinstance(query, Question):
        if (why := why_not_own(query.path, _RESERVED)) is not None:
            yield f"path: {why}"
        elif "{" in query.path:
            yield "path: a question has no parameters"
        return
    yield from _of_view(catalog, system, query)
    yield from _of_path(query)
    if not query.is_page and query.reply is None:
        yield "is_page: an answer from all rows is no list of them; add its model as reply, or remove is_page"
    if query.reply is not None and (query.handler is None or query.key is not None):
        yield "reply: only a handler without a key answers with another model than its rows; add a handler, or remove it"
    for column in query.columns:
        yield from _of_column(query, column)
    try:
        query.model  # noqa: B018  (it raises what is wrong)
    except CaudalError as error:
        yield f"shape: {error.detail}"


def _each(system: str, declared: object) -> Iterable[OwnQuery]:
    if not isinstance(declared, tuple):
        raise Misconfigured(f"the QUERIES of {system} are no tuple; a comma may be missing after the first")
    for query in declared:
        if not isinstance(query, OwnQuery):
            raise Misconfigured(f"the QUERIES of {system} hold {query!r}, which is no Query and no Question")
        yield query


def _of_view(catalog: Catalog, system: str, query: Query) -> Iterator[str]:
    name = query.view.__name__
    try:
        home = catalog.context_of_view(query.view).system
    except Misconfigured:
        home = None
    if home not in (system, ENGINE):
        yield f"view: {name} is not a view of {system}; add it to the views of the system, or correct the query"


def _of_path(query: Query) -> Iterator[str]:
    if (why := why_not_own(query.path, _RESERVED)) is not None:
        yield f"path: {why}"
        return
    parameters = query.path_parameters
    if query.key is not None and query.key not in parameters:
        yield f"key: the path has no parameter {{{query.key}}}"
    if query.handler is None:
        if query.key is not None and query.columns:
            yield "where: a query with a key reads one row, which nothing else selects; remove one of the two"
        for name in parameters:
            if name != query.key and name not in query.columns:
                yield f"path: the parameter {{{name}}} selects nothing; name it as key or in where"


def _of_column(query: Query, column: str) -> Iterator[str]:
    if column not in query.path_parameters:
        yield f"where: the path has no parameter {{{column}}}"
    if column not in query.view.model_fields:
        yield f"where: {query.view.__name__} has no field {column}"
    elif column in encrypted_fields(query.view):
        yield f"where: the field {column} is encrypted, so rows cannot be selected by it"
    elif isinstance(column_type(query.view.model_fields[column].annotation), JSONB | ARRAY):
        yield f"where: the field {column} holds JSON or a list, so rows cannot be selected by it"
