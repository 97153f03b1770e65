"""The application: GraphQL, the pages around it, and what operators look at."""

import asyncio
import ctypes
import gc
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gamebuddy import demo, mail, pages, telemetry
from gamebuddy import settings as configuration
from gamebuddy.auth.gate import Gate
from gamebuddy.db import Database, migrations
from gamebuddy.errors import Unavailable
from gamebuddy.events.bus import Bus
from gamebuddy.events.hub import Hub
from gamebuddy.events.presence import Attendance
from gamebuddy.files import PATH as FILES
from gamebuddy.files import Files, Transfers
from gamebuddy.leaving import leaving_on_sigterm
from gamebuddy.resolvers import reports
from gamebuddy.resolvers.chat import Outbox
from gamebuddy.resolvers.exports import exporter
from gamebuddy.resolvers.housekeeping import housekeeper
from gamebuddy.resolvers.limits import ChangedLimits
from gamebuddy.resolvers.wording import WordFilter
from gamebuddy.schema import faults, root
from gamebuddy.schema.callers import Callers
from gamebuddy.schema.context import Services
from gamebuddy.schema.crowd import Crowd
from gamebuddy.schema.documents import Documents
from gamebuddy.schema.farewell import Farewell
from gamebuddy.schema.paging import Cursors
from gamebuddy.schema.sharing import Sharing
from gamebuddy.schema.sockets import Sockets
from gamebuddy.schema.view import View, is_sane_host
from gamebuddy.settings import Settings
from gamebuddy.workers import watchdog

GRAPHQL, SDL, HEALTH, READY, METRICS, MAIL, INVITE = (
    "/graphql", "/graphql/schema.graphql", "/healthz", "/readyz", "/metrics", "/dev/mail", "/invite"
)  # fmt: skip
LONGEST_CODE = 64
MEASURED = frozenset({GRAPHQL, SDL, "/"})
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PARTING = {"Connection": "close"}  # the next request of this connection goes to another node
PR_SET_PDEATHSIG = 1
OBJECTS_BETWEEN_LOOKS = 10_000
PATIENCE_SECONDS, PAUSE_SECONDS = 30, 0.2  # for a database that is away when a worker starts
ABOUT = {
    "nika": "a player who speaks Russian",
    "max": "a player who speaks English",
    "moderator": "handles reports",
    "admin": "runs the place",
}


class NotMigrated(Exception):
    """The database is not at the schema of this release."""

    def __init__(self) -> None:
        super().__init__("the database is not at the schema of this release: run `gamebuddy migrate`")


def from_environment() -> FastAPI:
    """Make the application in a process of the server, from the settings that its parent has left."""
    if sys.platform == "linux":  # no worker outlives a parent that was killed
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    settings = configuration.load()
    if settings.database_url is None:
        raise configuration.SettingsError("GAMEBUDDY_DATABASE_URL has to be given to a worker")
    app = create_app(settings, database_url=settings.database_url.get_secret_value())
    spare_the_collector()
    return app


def spare_the_collector() -> None:
    """Tell the collector of cycles what kind of program this is, once everything is loaded.

    What is there stays: to walk over it again stops the process for a third of a second. And an answer makes thousands
    of objects that live as long as it does: to look for cycles among them after every 700 takes a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)


def create_app(settings: Settings, *, database_url: str) -> FastAPI:
    """Make the application; nothing is connected before it starts.

    Raises, when it starts:
        NotMigrated: the database is at another schema.
    """
    telemetry.set_up_logs(settings)
    database = Database(
        database_url,
        pool_size=settings.pool_size,
        statement_timeout_seconds=settings.statement_timeout_seconds,
    )
    gate, schema = Gate(settings), root.build_schema()
    bus, files = _redis_bus(settings, database), Files(settings, gate.keys, path=FILES)
    words = WordFilter(database, tell_staff=reports.file_flagged)
    services = Services(
        settings=settings,
        database=database,
        gate=gate,
        files=files,
        hub=Hub(database, bus=bus),
        attendance=Attendance(database),
        crowd=Crowd(database),
        sharing=Sharing(),
        outbox=Outbox(database, throttle=gate.throttle, files=files, words=words),
        words=words,
        limits=ChangedLimits(database, gate.throttle),
        cursors=Cursors(gate.keys),
        schema=schema,
        documents=Documents(schema, settings),
        farewell=Farewell(settings.drain_seconds),
    )
    postman = mail.Postman(settings, database_url)
    watching = watchdog()
    sweeping = housekeeper(database, services.files, event_days=settings.event_days)
    exporting = exporter(database, services.files)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await _require_current_schema(database)
        await services.hub.start()
        await services.words.start()
        await services.limits.start()
        await services.attendance.start()
        await postman.start()
        await sweeping.start()
        await exporting.start()
        await watching.start()
        with leaving_on_sigterm(services.farewell):
            yield
        await watching.stop()
        await exporting.stop()
        await sweeping.stop()
        await postman.stop()
        await services.attendance.stop()
        await services.limits.stop()
        await services.words.stop()
        await services.hub.stop()
        await services.files.close()
        await gate.close()
        await database.close()

    callers = Callers(gate.tokens, settings.trusted_proxies)
    house = Pages(services)
    app = FastAPI(title="GameBuddy", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.services = services
    app.router.routes += [
        Route(GRAPHQL, GraphQL(View(services, callers), house)),
        WebSocketRoute(GRAPHQL, Sockets(services, callers)),
        Route(SDL, house.sdl),
        Route("/", house.start),
        Route(INVITE + "/{code}", house.invite),
        Route(HEALTH, house.healthz),
        Route(READY, house.readyz),
        Route(METRICS, house.metrics),
    ]
    if services.files.folder is not None:
        transfers = Transfers(services.files)
        app.router.routes.append(Route(FILES + "/{ticket}", transfers.answer, methods=["GET", "PUT"]))
    if settings.is_development:
        app.router.routes += [Route(MAIL, house.mailbox), Route(MAIL + "/{key}", house.letter)]
    app.mount("/static", StaticFiles(directory=pages.STATIC_FILES), name="static")
    app.add_exception_handler(HTTPException, _plain_error)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Guard, farewell=services.farewell)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["www-authenticate"],
        )
    return app


async def _require_current_schema(database: Database) -> None:
    """Look at the schema, and wait for a database that is away: a worker that gave up would take its node along.

    Raises:
        NotMigrated: it is another one.
        Unavailable: after some patience.
    """
    patient_until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if await migrations.is_current(database):
                return
            raise NotMigrated
        except Unavailable:
            if time.monotonic() > patient_until:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


def _redis_bus(settings: Settings, database: Database) -> Bus | None:
    """Make Redis the way of messages where it is set; else they go through the database itself."""
    if settings.broadcast_url is None:
        return None
    from gamebuddy.events.redis_bus import RedisBus  # noqa: PLC0415 - an extra: only who uses Redis installs it

    bus = RedisBus(settings.broadcast_url.get_secret_value())
    database.courier = bus.send_soon
    return bus


class Guard:
    """Refuses what names no host, measures, and adds the headers that every answer has."""

    def __init__(self, app: ASGIApp, farewell: Farewell) -> None:
        self._app = app
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        path = scope["path"] if scope["path"] in MEASURED else "other"

        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ALWAYS | (PARTING if self._farewell.has_begun else {}))
                telemetry.REQUESTS.labels(path, message["status"]).inc()
                telemetry.SECONDS.labels(path).observe(time.perf_counter() - began)
            await send(message)

        is_sane = is_sane_host(Headers(scope=scope).get("host"))
        answer = self._app if is_sane else _error(400, "BAD_REQUEST", "The Host header names no host.")
        await answer(scope, receive, begin)


class GraphQL:
    """The endpoint: GraphiQL for those who look at it with a browser, GraphQL for everybody else."""

    def __init__(self, view: View, house: "Pages") -> None:
        self._view = view
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope)
        accept = request.headers.get("accept", "")
        is_person = request.method == "GET" and "text/html" in accept and "json" not in accept
        if is_person:
            await (await self._house.graphiql(request))(scope, receive, send)
        else:
            await self._view(scope, receive, send)


class Pages:
    """What is not GraphQL, shown from one process' services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings

    async def graphiql(self, _: Request) -> Response:
        """GraphiQL with its tabs; in the demo signed in as the first of the known players."""
        if not self._settings.graphiql:
            raise HTTPException(404)
        headers = {}
        if self._settings.demo:
            token = await demo.token(self._services.database, self._services.gate, demo.KNOWN[0])
            headers = {"Authorization": f"Bearer {token}"} if token else {}
        sign_in = self._known_accounts() if self._settings.is_development else None
        return _page(pages.graphiql(GRAPHQL, pages.load_tabs(), headers, sign_in=sign_in))

    async def start(self, _: Request) -> Response:
        """The start page."""
        return _page(
            pages.start_page(
                pages.Start(
                    version=version("gamebuddy"),
                    graphiql_path=GRAPHQL,
                    schema_path=SDL,
                    health_path=READY,
                    mailbox_path=MAIL if self._settings.is_development else None,
                    sample_accounts=self._known_accounts(),
                )
            )
        )

    def _known_accounts(self) -> tuple[pages.SampleAccount, ...]:
        """Give the accounts of the demo, with their password; none where there is no demo."""
        if not self._settings.demo:
            return ()
        return tuple(
            pages.SampleAccount(username=name, password=demo.PASSWORD, about=about) for name, about in ABOUT.items()
        )

    async def invite(self, request: Request) -> Response:
        """What a browser shows of an invite link."""
        code = request.path_params["code"]
        if len(code) > LONGEST_CODE:
            raise HTTPException(404)
        return _page(pages.invite_page(code))

    async def sdl(self, _: Request) -> Response:
        """The schema in the schema definition language; introspection loses @oneOf for some clients."""
        if not self._settings.introspection:
            raise HTTPException(404)
        return PlainTextResponse(root.sdl(), headers={"Cache-Control": "public, max-age=60"})

    async def mailbox(self, _: Request) -> Response:
        """The letters that were not sent, because no SMTP server is set."""
        return _page(pages.mailbox([_letter(stored) for stored in mail.read_mailbox(self._settings.mail_dir)]))

    async def letter(self, request: Request) -> Response:
        """One of them."""
        for stored in mail.read_mailbox(self._settings.mail_dir):
            if stored.key == request.path_params["key"]:
                return _page(pages.letter(_letter(stored)))
        raise HTTPException(404)

    async def healthz(self, _: Request) -> Response:
        """The process lives."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The process can work: database, schema and listener."""
        database = self._services.database
        answers = await database.answers()
        state = {
            "database": answers,
            "migrations": answers and await self._is_current(),
            "listener": self._services.hub.is_listening,
            "serving": not self._services.farewell.has_begun,
        }
        return JSONResponse(state, 200 if all(state.values()) else 503)

    async def _is_current(self) -> bool:
        with suppress(Unavailable):
            return await migrations.is_current(self._services.database)
        return False

    async def metrics(self, _: Request) -> Response:
        """Counts and times, for Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _page(page: pages.Page) -> Response:
    return HTMLResponse(page.html, headers={"Content-Security-Policy": page.csp, "Cache-Control": "no-store"})


def _letter(stored: mail.StoredLetter) -> pages.Letter:
    return pages.Letter(key=stored.key, to=stored.to, subject=stored.subject, at=stored.at, text=stored.text)


async def _plain_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    codes = {403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE"}
    code = codes.get(status, "BAD_REQUEST")
    headers: dict[str, Any] = dict(getattr(error, "headers", None) or {})
    message = error.detail if isinstance(error, HTTPException) else str(error)
    return _error(status, code, "There is nothing here." if status == 404 else message, headers)  # noqa: PLR2004


async def _fault(_: Request, fault: Exception) -> Response:
    return JSONResponse({"errors": [faults.masked(fault)]}, 500)


def _error(status: int, code: str, message: str, headers: dict[str, Any] | None = None) -> Response:
    return JSONResponse({"errors": [faults.error(message, code)]}, status, headers)
