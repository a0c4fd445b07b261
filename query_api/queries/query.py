"""The declaration of a query: a path of a system's own, and the view that answers it."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, get_type_hints

from pydantic import BaseModel
from starlette.routing import compile_path

from query_api.queries.context import Answer, QueryContext, QueryHandler
from query_api.queries.words import Words, translation
from query_api.views.paging import DEFAULT_LIMIT, Row
from schemas.clients.dialect import Dialect
from schemas.errors import Misconfigured
from schemas.view import View

Shape = type[BaseModel] | Callable[[Row], BaseModel]
"""A model, whose fields are fields of the view; or a function that makes a model of a row, annotated with the model."""


@dataclass(frozen=True, slots=True)
class Query:
    """One row of a system's ``QUERIES``.

    Without ``key`` it answers with a page of rows, which the request filters and sorts; with ``key``, with one row.
    """

    path: str
    view: type[View]
    summary: str
    _: KW_ONLY
    key: str | None = None
    """The path parameter that holds the key of the row."""
    where: str | tuple[str, ...] = ()
    """Columns whose values are fixed by the path parameters of the same names."""
    shape: Shape | None = None
    """How a row is shown; ``None``: as it is in the view."""
    handler: QueryHandler | None = None
    """Answers in the place of the engine; ``key`` and ``shape`` then only describe the answer."""
    reply: type[BaseModel] | None = None
    """The model of a handler's answer that is no list, although the query has no ``key``."""
    is_page: bool = True
    """Whether a request may filter, sort and page; a handler that answers from all rows has a ``reply`` and ``False``."""
    limit: int = DEFAULT_LIMIT
    """Rows of a page, unless the request says otherwise: as many as its clients expect that know no pages."""
    words: Words = field(default_factory=dict)
    """Parameters of its clients' own, and the filters that their words mean."""
    empty: BaseModel | None = None
    """The answer in the place of an empty list, to a request without parameters."""
    media_type: str | None = None
    """The media type of a handler's answer that is bytes; ``None``: JSON."""
    errors: Dialect | None = None
    """How errors are reported; ``None``: as problem documents."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the path fixes."""
        return (self.where,) if isinstance(self.where, str) else self.where

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in order; raises `Misconfigured` if the path cannot be read."""
        try:
            return tuple(compile_path(self.path)[2])
        except (AssertionError, ValueError) as error:
            raise Misconfigured(f"the path {self.path} of a query cannot be read: {error}") from error

    @property
    def model(self) -> type[BaseModel]:
        """The model of one row of the answer; raises `Misconfigured` if the shape does not say it."""
        if self.shape is None or isinstance(self.shape, type):
            return self.shape or self.view
        model = get_type_hints(self.shape).get("return")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            name = getattr(self.shape, "__name__", repr(self.shape))
            raise Misconfigured(f"the function {name} does not say which model it returns: annotate it, as in `-> Model`")
        return model

    async def answer(self, context: QueryContext) -> Answer:
        """Returns the answer to a request."""
        answer = await self._answer(context)
        if self.empty is not None and not answer.body and not context.request.query_params:
            return replace(answer, body=self.empty)
        return answer

    async def _answer(self, context: QueryContext) -> Answer:
        if self.handler is not None:
            return await self.handler(context)
        if self.key is not None:
            return Answer(self._shown(await context.views.row(context.request, self.view, context.path_parameter(self.key))))
        fixed = ((column, context.path_parameter(column)) for column in self.columns)
        page = await context.views.page(
            context.request, self.view, *fixed, limit=self.limit, translated=translation(self.words)
        )
        return context.page(page, [self._shown(row) for row in page.rows])

    def _shown(self, row: Row) -> Any:
        if self.shape is None:
            return row
        return self.model.model_validate(row) if isinstance(self.shape, type) else self.shape(row)
