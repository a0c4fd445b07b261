"""The live views of the installed systems: the changes of each, as far as a caller may read them."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from query_api.live.feed import Feed, LiveQuery
from query_api.live.limits import ConnectionLimit
from query_api.views.catalog_of_views import Views
from query_api.views.paging import Row
from schemas.view import View
from streams.http.request_context import caller_of, context_of


class LiveViews:
    """Sends the changes of views; one limit counts the clients of all of them, and those of live logs."""

    def __init__(self, limit: ConnectionLimit, views: Views) -> None:
        self._views = views
        self._feeds = {one.view: Feed(one.reader, limit) for one in views}

    async def follow(self, request: Request, view: type[View]) -> Response:
        """Streams the changes of a view until the caller's token expires.

        Raises the errors of `Views.opened` and of `Feed.follow`.
        """
        opened, caller = await self._views.opened(request, view), caller_of(request)
        opened.row_access.owner_for(caller)  # a caller who may read no row gets 401 now, and not an empty stream

        async def show(rows: Sequence[Row]) -> list[Row]:
            return await opened.row_access.decrypted([row for row in rows if opened.row_access.may_read(caller, row)])

        until = float("inf") if caller is None or caller.expires_at is None else caller.expires_at
        return await self._feeds[view].follow(request, LiveQuery(context_of(request).counted_as, show, until))
