"""The views of the installed systems, as callers of the query API may read them."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request

from query_api.views.consistency import ConsistencyWaiter, Wait
from query_api.views.page_request import PageRequest, parse_page_request
from query_api.views.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, Row
from query_api.views.reader import ViewReader
from query_api.views.row_access import RowAccessControl
from schemas.access import Access
from schemas.consistency_token import ConsistencyToken
from schemas.errors import Malformed, NotFound
from schemas.system import ContextName
from schemas.view import View
from streams.encryption.subject_keys import SubjectKeys
from streams.http.request_context import caller_of, context_of, header
from streams.installation import Installation
from streams.log.partitioning import partition_of
from streams.security.access_control import AccessControl
from streams.subscriptions.checkpoints import Checkpoints

NO_PARTITION = "Consistency-Token names no partition"
NO_WAIT = Wait()
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*(\d{1,4})\s*(?:[,;]|$)", re.ASCII | re.IGNORECASE)
_LENIENT = re.compile(r"(?:^|,)\s*handling\s*=\s*lenient\s*(?:[,;]|$)", re.ASCII | re.IGNORECASE)
"""Preferences of a request (RFC 7240)."""


def untranslated(_: str, __: str) -> None:
    """Returns that a parameter is one of the view's own."""


@dataclass(frozen=True, slots=True)
class ReadableView:
    """One view, and what a read of it goes through."""

    context: ContextName
    """The context on whose read side the view lives."""
    view: type[View]
    reader: ViewReader
    row_access: RowAccessControl
    consistency: ConsistencyWaiter

    @property
    def name(self) -> str:
        """The view's name, with its system's."""
        return f"{self.context.system}.{self.view.view_name}"


class Views:
    """Reads every view of the installed systems. A read takes three steps before its rows come from the table:

    access to the view (`authorize`) ─► consistency tokens (`Wait`) ─► rows of the caller (`RowAccessControl`)
    """

    def __init__(self, installation: Installation, access_control: AccessControl) -> None:
        self._catalog, self._access_control = installation.catalog, access_control
        keys = SubjectKeys(installation.settings, installation.databases)
        self._views: Mapping[type[View], ReadableView] = {
            view: _readable(installation, keys, context, view, is_open=self._access_to(context, view) is None)
            for context, view in installation.catalog.views()
        }

    def __iter__(self) -> Iterator[ReadableView]:
        return iter(self._views.values())

    def named(self, system: str, name: str) -> type[View]:
        """Returns the view with a name, if it can be read under ``/views``; raises `NotFound`."""
        view = self._catalog.view(system, name)
        if view.view_own_paths_only:
            raise NotFound(f"the view {name!r} of {system!r} is read on the system's own paths")
        return view

    async def row(self, request: Request, view: type[View], key: str, *, one_of_several: bool = False) -> Row:
        """Returns the row with a key, decrypted.

        ``one_of_several`` says that the answer comes from several views: then a token of another context than the view's own
        is left to the others, because this view would never see it. Raises `NotFound` if there is no row or the caller may
        not read it, and the errors of `opened`.
        """
        opened = self._authorized(request, view)
        row = await opened.consistency.read(
            self._wait(request, opened, one_of_several=one_of_several), lambda: opened.reader.get(key)
        )
        if row is None or not opened.row_access.may_read(caller_of(request), row):
            raise NotFound(f"the view {view.view_name} has no row {key!r}")
        return (await opened.row_access.decrypted([row]))[0]

    async def page(
        self,
        request: Request,
        view: type[View],
        *fixed: tuple[str, str],
        limit: int = DEFAULT_LIMIT,
        translated: Callable[[str, str], Iterable[tuple[str, str]] | None] = untranslated,
        one_of_several: bool = False,
    ) -> Page:
        """Returns a page of the rows that the caller may read, decrypted, by the request's parameters and ``fixed`` filters.

        ``limit`` holds unless the request has its own; ``translated`` returns the filters that a parameter means in other
        words, ``None`` if it is one of the view's own; ``one_of_several`` is that of `row`. Raises `Invalid` for a parameter,
        and the errors of `opened`.
        """
        opened, given = self._authorized(request, view), list[tuple[str, str]]()
        for name, text in request.query_params.multi_items():
            meant = translated(name, text)
            given += [(name, text)] if meant is None else meant
        page_request = parse_page_request([*given, *fixed], limit)
        wait = self._wait(request, opened, one_of_several=one_of_several)
        return await opened.consistency.read(wait, lambda: self._page(request, opened, page_request))

    async def all_rows(
        self, request: Request, view: type[View], seen: ConsistencyToken | None, *fixed: tuple[str, str]
    ) -> list[Row]:
        """Returns every row that meets ``fixed`` filters and that the caller may read, once the view has seen a write.

        ``None`` is those that the request's tokens name, if it has some. The request's parameters do not count. Raises
        `NotYetSeen`, `Unauthenticated`, `Forbidden`, and `Malformed` for a token that names nothing.
        """
        opened = self._authorized(request, view)

        async def read() -> list[Row]:
            rows: list[Row] = []
            after: tuple[tuple[str, str], ...] | None = ()
            while after is not None:
                page_request = parse_page_request([*fixed, ("limit", str(MAX_LIMIT)), *after])
                page = await self._page(request, opened, page_request)
                rows += page.rows
                after = None if page.next is None else (("after", page.next),)
            return rows

        wait = self._wait(request, opened) if seen is None else Wait((seen,))
        return await opened.consistency.read(wait, read)

    async def opened(self, request: Request, view: type[View]) -> ReadableView:
        """Returns a view that the caller may read, once it has seen the writes that the request's tokens name.

        Raises `Unauthenticated`, `Forbidden`, `Malformed` for a token that names nothing, and `NotYetSeen`.
        """
        opened = self._authorized(request, view)

        async def no_work() -> None:
            return None

        await opened.consistency.read(self._wait(request, opened), no_work)
        return opened

    def token(self, context: ContextName, stream: str, position: int) -> ConsistencyToken:
        """Returns the token of a stream's event."""
        partitions = self._catalog.context(context).partitions
        return ConsistencyToken(context, partition_of(stream, partitions), position)

    def _authorized(self, request: Request, view: type[View]) -> ReadableView:
        opened = self._views[view]
        self._access_control.authorize(context_of(request), "view", opened.name, view.view_access)
        return opened

    def _wait(self, request: Request, opened: ReadableView, *, one_of_several: bool = False) -> Wait:
        text = header(request, b"consistency-token")
        if text is None:
            return NO_WAIT
        tokens = ConsistencyToken.parse_all(text)
        for token in tokens:
            if token.partition >= self._catalog.context(token.context).partitions:
                raise Malformed(f"{NO_PARTITION}: {token.context} has no partition {token.partition}")
        if one_of_several:
            tokens = tuple(token for token in tokens if token.context == opened.context)
        prefers = header(request, b"prefer") or ""
        seconds = _WAIT.search(prefers)
        return Wait(tokens, None if seconds is None else float(seconds[1]), _LENIENT.search(prefers) is not None)

    def _access_to(self, context: ContextName, view: type[View]) -> Access | None:
        return self._access_control.effective("view", f"{context.system}.{view.view_name}", view.view_access)

    async def _page(self, request: Request, opened: ReadableView, page_request: PageRequest) -> Page:
        page = await opened.reader.page(replace(page_request, owner=opened.row_access.owner_for(caller_of(request))))
        return Page(await opened.row_access.decrypted(page.rows), page.next)


def _readable(
    installation: Installation, keys: SubjectKeys, context: ContextName, view: type[View], *, is_open: bool
) -> ReadableView:
    store = installation.view_store(context)
    checkpoints = Checkpoints(store, f"{context.system}.{view.view_name}")
    return ReadableView(
        context,
        view,
        ViewReader(store, context, view, installation.settings.max_query_seconds),
        RowAccessControl(view, keys, is_open=is_open),
        ConsistencyWaiter(checkpoints, view.view_name, installation.settings.max_consistency_wait_seconds),
    )


def summary_of(view: type[View]) -> str:
    """Returns the first line of a view's docstring."""
    return (inspect.getdoc(view) or view.view_name).partition("\n")[0]
