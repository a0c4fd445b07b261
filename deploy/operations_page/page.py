"""The page as routes: sign-in, screens, live screens, and operations in two steps."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from uuid_utils.compat import uuid7

from deploy.operations.declared import OPERATIONS
from deploy.operations.installation import OpenInstallation
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters
from deploy.operations_api.routes import authorized
from deploy.operations_api.runs import LiveRun, Runs
from deploy.operations_page import session
from deploy.operations_page.forms import pairs_of, parameters_of, todo
from deploy.operations_page.rendering import environment
from deploy.operations_page.screen import Asked, Screen, Shown
from deploy.operations_page.screens import (
    commands,
    contracts,
    dead_letters,
    history,
    logs,
    now,
    proof,
    sagas,
    sending,
    subjects,
    subscriptions,
    views,
)
from schemas.access import Caller
from schemas.engine.operations import MAX_REASON
from schemas.errors import CaudalError, Malformed, NotFound, Overloaded, Unauthenticated
from streams.bounded_processes import BoundedProcesses
from streams.http.bodies import read_limited
from streams.http.problems import STATUSES, TITLES, status_of
from streams.http.request_context import context_of
from streams.security.access_control import AccessControl, Endpoint

SCREENS: tuple[Screen, ...] = (
    now.SCREEN,
    *(logs.SCREENS),
    *(views.SCREENS),
    subscriptions.SCREEN,
    *(dead_letters.SCREENS),
    *(sagas.SCREENS),
    *(contracts.SCREENS),
    commands.SCREEN,
    sending.SCREEN,
    proof.SCREEN,
    subjects.SCREEN,
    history.SCREEN,
)
T = TypeVar("T")
_log = structlog.get_logger()
REFRESH_SECONDS = 3.0
_PLAN_SECONDS, _DONE_SECONDS = 5.0, 0.5
"""So long a request waits for its run to end; then its page shows how it goes on."""
_MAX_LIVE = 20
_KEPT_SECONDS = 3600.0
_PING_SECONDS = 15
_MAX_FIELDS = 1000
_FILES = Path(__file__).parent / "files"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class OperatorPage:
    """Answers browsers of operators."""

    def __init__(self, installation: OpenInstallation, access_control: AccessControl, runs: Runs) -> None:
        self._installation, self._access_control, self._runs = installation, access_control, runs
        self._templates, self._processes = environment(), BoundedProcesses()
        self._live = 0

    def routes(self) -> Iterator[BaseRoute]:
        """Yields every route; the screen of the first path comes last."""
        yield Mount("/page", StaticFiles(directory=_FILES))
        yield Route("/sign-in", self.sign_in, methods=["GET", "POST"])
        yield Route("/sign-out", self.sign_out, methods=["POST"])
        yield Route("/enter/{code}", self.enter)
        yield self._route("/plan/{name:path}", self.plan, "POST")
        yield self._route("/operate/{name:path}", self.ask, "GET")
        yield self._route("/operate/{name:path}", self.do, "POST")
        yield self._route("/runs/{id}", self.run, "GET")
        yield self._route("/live/runs/{id}", self.live_run, "GET")
        yield self._route(sending.SCREEN.path, self.send, "POST")
        for screen in SCREENS:
            if screen.is_live:
                yield self._route(f"/live{screen.path}", self._live_screen(screen), "GET")
            yield self._route(screen.path, self._screen(screen), "GET")

    def close(self) -> None:
        """Ends the processes that compute for screens."""
        self._processes.close()

    def _route(self, path: str, endpoint: Endpoint, method: str) -> Route:
        async def protected(request: Request) -> Response:
            if (token := session.token_of(request)) is not None:
                context_of(request).headers.setdefault(b"authorization", f"Bearer {token}")
            try:
                await self._access_control.authenticate(context_of(request), path)
            except Unauthenticated:
                return _to_sign_in(request)
            except CaudalError as error:
                return self._html("sign_in.html", {"next": "/", "problem": error.detail}, status_of(error.kind))
            if context_of(request).caller is None:
                return _to_sign_in(request)
            try:
                return await endpoint(request)
            except CaudalError as error:
                return self._problem(request, error)
            except Exception:
                _log.exception("screen failed", path=request.url.path)
                return self._problem(request, CaudalError("The server failed; its log has the details."))

        return Route(path, protected, methods=[method])

    async def sign_in(self, request: Request) -> Response:
        """Answers with the form for a token, or signs a browser in with the token that it sends."""
        path = session.own_path(request.query_params.get("next", "/"))
        if request.method == "GET":
            return self._html("sign_in.html", {"next": path, "problem": None})
        session.check_same_origin(request)
        token = (await self._form(request)).get("token", [""])[-1].strip()
        context_of(request).headers[b"authorization"] = f"Bearer {token}"
        try:
            await self._access_control.authenticate(context_of(request), "/sign-in")
        except CaudalError as error:
            return self._html("sign_in.html", {"next": path, "problem": error.detail}, status_of(error.kind))
        return session.signed_in(request, token, path)

    async def sign_out(self, request: Request) -> Response:
        """Signs a browser out."""
        session.check_same_origin(request)
        return session.signed_out()

    async def enter(self, request: Request) -> Response:
        """Signs in the operator of a local stack, whose address has its code."""
        try:
            await self._access_control.limit(context_of(request), "/enter", 1)
            token = session.local_token(self._installation.settings, request.path_params["code"])
        except CaudalError as error:
            return self._html("sign_in.html", {"next": "/", "problem": error.detail}, status_of(error.kind))
        return session.signed_in(request, token)

    def _screen(self, screen: Screen) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            shown = await self._shown(screen, request)
            live = f"/live{_address(request)}" if screen.is_live else None
            return self._html(f"{screen.name}.html", {**self._values(screen, shown, request), "live": live})

        return endpoint

    def _live_screen(self, screen: Screen) -> Endpoint:
        """Returns the endpoint that sends a screen again whenever it has changed, until the caller's token expires."""

        async def endpoint(request: Request) -> Response:
            authorized(request, screen.access, "this screen")

            async def events() -> AsyncIterator[ServerSentEvent]:
                last = ""
                while time.time() < _expiry(request):
                    try:
                        shown = await _to_its_end(self._shown(screen, request))
                        template = self._templates.get_template(f"{screen.name}.html")
                        values = {**self._values(screen, shown, request), "live": None, "is_part": True}
                        html = template.render(values)
                    except CaudalError as error:
                        html = self._templates.get_template("out_of_reach.html").render(detail=error.detail)
                    if html != last:
                        yield ServerSentEvent(html)
                        last = html
                    await asyncio.sleep(REFRESH_SECONDS)

            return self._stream(events())

        return endpoint

    async def ask(self, request: Request) -> Response:
        """Answers with the form of an operation that only reads; of another, leads to the run that tries it."""
        operation = self._operation(request)
        parameters = parameters_of(operation, request.query_params.multi_items())
        if not operation.is_reading:
            return await self._planned(request, operation, parameters)
        values = {
            **self._frame(request),
            "title": operation.name,
            "question": operation.summary,
            "answer": "It reads everything that it is about, and changes nothing.",
            "tone": "plain",
            "current": "",
            "live": None,
            "todo": todo(operation, parameters),
        }
        return self._html("operate.html", values)

    async def plan(self, request: Request) -> Response:
        """Tries an operation whose parameters have any size, and leads to the run that says what it would do."""
        session.check_same_origin(request)
        operation = self._operation(request)
        return await self._planned(request, operation, parameters_of(operation, pairs_of(await self._form(request))))

    async def do(self, request: Request) -> Response:
        """Starts an operation, and leads to its run."""
        session.check_same_origin(request)
        operation = self._operation(request)
        form = await self._form(request)
        reason = form.pop("reason", [""])[-1].strip()
        parameters = parameters_of(operation, pairs_of(form))
        run = self._runs.start(operation, parameters, _caller(request).subject, reason[:MAX_REASON], apply=True)
        await run.wait(_DONE_SECONDS)
        return RedirectResponse(f"/runs/{run.content.id}", 303)

    async def send(self, request: Request) -> Response:
        """Sends a command to the command API of the local stack, and shows its answer below the form as it was filled in."""
        session.check_same_origin(request)
        shown, asked = await self._shown(sending.SCREEN, request), self._asked(request)
        form, id = await self._form(request), uuid7()
        fields = shown.values["fields"]
        sent = await sending.send(asked, id, sending.body_of(fields, form))
        values = {
            **self._values(sending.SCREEN, shown, request),
            "live": None,
            "fields": [field._replace(value=form.get(field.name, [""])[-1]) for field in fields],
            "sent": sent,
            "receipt": f"/commands/{shown.values['context']}/{id}" if sent.status in (200, 201) else None,
        }
        return self._html("send.html", values)

    async def _planned(self, request: Request, operation: Operation[Any], parameters: Parameters) -> Response:
        run = self._runs.start(operation, parameters, _caller(request).subject, "", apply=False)
        await run.wait(_PLAN_SECONDS)
        if run.error is not None:
            raise run.error
        return RedirectResponse(f"/runs/{run.content.id}", 303)

    async def run(self, request: Request) -> Response:
        """Answers with a run."""
        run = self._run(request)
        live = f"/live/runs/{run.content.id}" if run.is_running else None
        return self._html("run.html", {**self._of_run(request, run), "live": live})

    async def live_run(self, request: Request) -> Response:
        """Sends a run at each change; the stream stays open when it has ended."""
        run = self._run(request)

        async def events() -> AsyncIterator[ServerSentEvent]:
            async for _ in run.changes():
                values = {**self._of_run(request, run), "live": None, "is_part": True}
                yield ServerSentEvent(self._templates.get_template("run.html").render(values))
                await asyncio.sleep(0.1)  # several changes are one
            await asyncio.sleep(max(0.0, min(_expiry(request) - time.time(), _KEPT_SECONDS)))  # a browser would come back

        return self._stream(events())

    async def _form(self, request: Request) -> dict[str, list[str]]:
        """Returns the fields of a form, each with its values; raises `Malformed` and `TooLarge`."""
        body = await read_limited(request, self._installation.settings.max_body_bytes)
        try:
            return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
        except ValueError as error:
            raise Malformed("the form cannot be read") from error

    def _operation(self, request: Request) -> Operation[Any]:
        operation = OPERATIONS.get(request.path_params["name"])
        if operation is None:
            raise NotFound(f"there is no operation {request.path_params['name']!r}")
        authorized(request, operation.access, operation.name)
        return operation

    def _run(self, request: Request) -> LiveRun:
        run = self._runs.of(request.path_params["id"])
        authorized(request, OPERATIONS[run.content.operation].access)
        return run

    async def _shown(self, screen: Screen, request: Request) -> Shown:
        authorized(request, screen.access, "this screen")
        return await screen.show(self._asked(request))

    def _asked(self, request: Request) -> Asked:
        path = {name: str(value) for name, value in request.path_params.items()}
        return Asked(self._installation, self._processes, _caller(request), path, dict(request.query_params))

    def _values(self, screen: Screen, shown: Shown, request: Request) -> dict[str, Any]:
        return {
            **self._frame(request),
            "title": shown.title or screen.title,
            "question": screen.question,
            "answer": shown.answer,
            "tone": shown.tone,
            "current": screen.path,
            **shown.values,
        }

    def _of_run(self, request: Request, run: LiveRun) -> dict[str, Any]:
        content, operation = run.content, OPERATIONS[run.content.operation]
        said = {
            "running": "It goes on." if content.is_applied else "It finds out what it would do.",
            "planned": "This would be done:",
            "done": "Done." if content.is_applied or operation.is_reading else "There is nothing to do:",
            "incomplete": f"Not everything could be done: {content.problem}.",
            "failed": f"It failed: {content.problem}.",
        }
        tones = {"done": "good", "incomplete": "warning", "failed": "bad"}
        return {
            **self._frame(request),
            "title": content.operation,
            "question": operation.summary,
            "answer": said[content.state],
            "tone": tones.get(content.state, "plain"),
            "current": "",
            "run": content,
            "todo": todo(operation, run.parameters) if content.state == "planned" else None,
        }

    def _frame(self, request: Request) -> dict[str, Any]:
        caller = _caller(request)
        menu = [screen for screen in SCREENS if screen.in_menu and screen.access.why_not(caller) is None]
        return {"menu": menu, "user": caller.subject, "is_part": False}

    def _problem(self, request: Request, error: CaudalError) -> Response:
        status = STATUSES.get(error.kind, 500 if error.kind == CaudalError.kind else status_of(error.kind))
        if request.url.path.startswith("/live/"):
            return HTMLResponse(error.detail, status, _HEADERS)
        values = {
            **self._frame(request),
            "title": TITLES.get(status, "Error"),
            "question": "",
            "answer": error.detail,
            "tone": "bad",
            "current": "",
            "live": None,
        }
        return self._html("problem.html", values, status)

    def _html(self, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(values), status, _HEADERS)

    def _stream(self, events: AsyncIterator[ServerSentEvent]) -> Response:
        """Returns a stream of events; raises `Overloaded` if too many browsers have one."""
        if self._live >= _MAX_LIVE:
            raise Overloaded(f"{_MAX_LIVE} screens are open already")

        async def counted() -> AsyncIterator[ServerSentEvent]:
            self._live += 1
            try:
                async for event in events:
                    yield event
            finally:
                self._live -= 1

        return EventSourceResponse(counted(), ping=_PING_SECONDS)


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Returns what a coroutine returns; it goes on if its reader is gone, so that no transaction is cut off."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(task)


def _to_sign_in(request: Request) -> Response:
    return RedirectResponse(f"/sign-in?next={quote(_address(request))}", 303)


def _caller(request: Request) -> Caller:
    caller = context_of(request).caller
    assert caller is not None, "the route has asked for a token"
    return caller


def _expiry(request: Request) -> float:
    expires_at = _caller(request).expires_at
    return float("inf") if expires_at is None else expires_at


def _address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
