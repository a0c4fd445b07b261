"""The input of a query handler, and its answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from query_api.queries.command_gateway import CommandGateway
from query_api.queries.saga_labels import SagaLabels
from query_api.views.catalog_of_views import Views
from query_api.views.paging import Page, next_link
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that is sent to the client."""

    body: Any
    """JSON values and pydantic models; a text, bytes or parts of bytes with a media type of their own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str | None = None
    """``None``: JSON."""


@dataclass(frozen=True, slots=True)
class QueryContext:
    """One request, and the collaborators of the handler that answers it."""

    request: Request
    views: Views
    commands: CommandGateway
    saga_labels: Mapping[str, SagaLabels]
    """The labels of sagas, by the system that declares them."""
    settings: Settings
    keys: SubjectKeys
    """For files that are encrypted."""

    def path_parameter(self, name: str) -> str:
        """Returns the text of a path parameter."""
        return str(self.request.path_params[name])

    def page(self, page: Page, body: Any = None) -> Answer:
        """Returns the answer for a page, or for another body in the place of its rows, with the link to the next page."""
        link = (
            None
            if page.next is None
            else next_link(self.request.scope["path"], self.request.query_params.multi_items(), page.next)
        )
        return Answer(page.rows if body is None else body, {} if link is None else {"Link": link})


QueryHandler = Callable[[QueryContext], Awaitable[Answer]]
"""Answers a query; raises errors of `schemas.errors`, which become problem documents."""
