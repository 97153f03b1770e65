"""The command line: what a person runs."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvicorn
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gamebuddy import demo as demo_world
from gamebuddy import settings as configuration
from gamebuddy import wire
from gamebuddy.auth.gate import Gate
from gamebuddy.db import Database, migrations
from gamebuddy.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from gamebuddy.errors import Rejected, Unavailable
from gamebuddy.leaving import Workers
from gamebuddy.resolvers import administration, chain, games, replay
from gamebuddy.resolvers.matching import RANKING, Ranking, Weights
from gamebuddy.schema import rights, root
from gamebuddy.schema.documents import Documents
from gamebuddy.settings import Settings, SettingsError

app = typer.Typer(
    help="GameBuddy: a GraphQL server for people who look for teammates for online games.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit_app = typer.Typer(help="Look after the log of privileged acts.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
console = Console(highlight=False, soft_wrap=True)
SCHEMA_FILE, RIGHTS_FILE = Path("schema.graphql"), Path("docs/rights.md")
DEMO_SEARCHES = 300
PATIENT_SECONDS = 600  # for statements of set-up work, which no client waits for


@dataclass(frozen=True, slots=True)
class Home:
    """The database of this run, and how to name it to people."""

    url: str
    name: str
    is_embedded: bool


def main_settings(**changes: object) -> Settings:
    """Read the settings, or end with one line and status 2."""
    try:
        settings = configuration.load()
        if changes:
            settings = Settings.model_validate(settings.model_dump() | changes)
    except (SettingsError, ValueError) as error:
        _fail(str(error).splitlines()[0])
    return settings


@app.command()
def run() -> None:
    """Serve with demo players, chats and games: everything a developer needs, in one command."""
    _serve(main_settings(demo=True), prepare=True)


@app.command()
def serve(
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="How many processes, if not as set.")] = None,
) -> None:
    """Serve. An outside database has to be migrated before; the embedded one is brought up to date by itself."""
    settings = main_settings()
    _serve(settings.model_copy(update={"workers": workers or settings.workers}), prepare=False)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this release, and the catalogue of games up to date."""
    with home(main_settings()) as database:
        count = _with_database(database, _prepare)
    console.print(f"The schema is at {migrations.head()}; the catalogue has {count} games.")


@app.command()
def demo() -> None:
    """Fill an empty database with demo players and chats; one that has them already is left alone."""
    settings = main_settings(demo=True)
    with home(settings) as database:
        _with_database(database, _prepare)
        summary = asyncio.run(demo_world.load(database.url, Gate(settings), console))
    console.print(f"Demo: {summary}.")


@app.command()
def create_admin(
    username: Annotated[str, typer.Option(help="User name: 3 to 32 of a-z, 0-9 and _.")],
    email: Annotated[str, typer.Option(help="E-mail address; it counts as confirmed.")],
) -> None:
    """Make an administrator. The password comes from GAMEBUDDY_ADMIN_PASSWORD, or is asked for."""
    settings = main_settings()
    given = settings.admin_password
    password = (
        given.get_secret_value() if given else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )

    async def make(database: Database) -> None:
        gate = Gate(settings)
        try:
            async with database.write() as session:
                await administration.create_admin(session, gate, username=username, email=email, password=password)
        finally:
            await gate.close()

    with home(settings) as database:
        if database.is_embedded:
            _with_database(database, _prepare)
        try:
            _with_database(database, make)
        except Rejected as rejected:
            _fail("; ".join(problem.message for problem in rejected.problems), status=1)
    console.print(f"{username.lower()} is an administrator.")


@app.command()
def token(username: Annotated[str, typer.Argument(help="Whose token.")]) -> None:
    """Print an access token of a demo player, for the headers of GraphiQL or curl. Development only."""
    settings = main_settings()
    if not settings.is_development:
        _fail("tokens are handed out in development only")

    async def issue(database: Database) -> str | None:
        return await demo_world.token(database, Gate(settings), username)

    with home(settings) as database:
        made = _with_database(database, issue)
    if made is None:
        _fail(f"nobody called {username} is signed in anywhere", status=1)
    sys.stdout.write(f"{made}\n")


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the files are current.")] = False,
) -> None:
    """Write schema.graphql, and the table of rights to docs/rights.md."""
    for path, text in ((SCHEMA_FILE, root.sdl()), (RIGHTS_FILE, rights.table())):
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            console.print(f"{path} is written.")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            _fail(f"{path} is not current: run `make schema`", status=1)
        else:
            console.print(f"{path} is current.")


@app.command()
def check(
    drift: Annotated[
        bool,
        typer.Option("--drift", help="Compare the migrations with the rows in the code, on a database of its own."),
    ] = False,
) -> None:
    """Tell whether the settings are right and the database is at the schema of this release."""
    settings = main_settings()
    if drift:
        with EmbeddedPostgres.temporary(binaries=settings.pg_bin) as server:
            _with_database(Home(server.url(), "temporary", is_embedded=True), _check_drift)
        console.print("The migrations make the rows that the code has.")
        return
    _require_trusted_documents(settings)
    with home(settings) as database:
        is_current = _with_database(database, migrations.is_current)
    if not is_current:
        _fail("the database is not at the schema of this release: run `gamebuddy migrate`", status=1)
    console.print(f"The settings are right; {database.name} is at {migrations.head()}.")


@audit_app.command()
def verify(
    noted: Annotated[str | None, typer.Option(help="A hash printed before; it has to be in the chain still.")] = None,
) -> None:
    """Tell whether the audit log is as it was written; names the first entry that is not, with status 1."""
    try:
        expected = bytes.fromhex(noted) if noted else None
    except ValueError:
        _fail("--noted takes the hexadecimal digits that were printed")

    async def look(database: Database) -> chain.Verdict:
        async with database.read() as session:
            return await chain.verify(session, noted=expected)

    with home(main_settings()) as database:
        verdict = _with_database(database, look)
    if verdict.broken is not None:
        _fail(f"the audit log is broken: {verdict.broken}", status=1)
    console.print(f"The audit log holds: {verdict.entries} entries, {verdict.forgotten} with something forgotten.")
    if verdict.last_hash is not None:
        console.print(f"Last hash, to note elsewhere: {verdict.last_hash.hex()}")


@app.command()
def chat(
    url: Annotated[str, typer.Option(envvar="CHAT_URL", help="Where the server is.")] = "http://127.0.0.1:8000",
    login: Annotated[str | None, typer.Option(envvar="CHAT_LOGIN", help="User name or e-mail.")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="CHAT_PASSWORD", help="Better left out: it is asked for.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="CHAT_TOKEN", help="An access token, instead of signing in; ten minutes.")
    ] = None,
) -> None:
    """Talk in a terminal: lists your chats, shows what is said, sends what you type. Needs the extra `chat`."""
    try:
        from gamebuddy import terminal  # noqa: PLC0415 - an extra: a server talks to nobody
    except ImportError:
        _fail("the terminal client needs more: install gamebuddy[chat]")

    async def talk() -> None:
        async with terminal.open_session(url, token or "") as session:
            if token is None:
                await _sign_in(session)
            await terminal.Conversation(session, console, terminal.Keyboard(sys.stdin.fileno()).lines()).run()

    async def _sign_in(session: terminal.Session) -> None:
        name = login or typer.prompt("User name or e-mail")
        secret = password or typer.prompt("Password", hide_input=True)
        try:
            await session.sign_in(name, secret)
        except terminal.Refused as refused:
            if refused.code != "TOTP_REQUIRED":
                raise
            await session.sign_in(name, secret, typer.prompt("Six digits, or a recovery code"))

    try:
        asyncio.run(talk())
    except KeyboardInterrupt:
        console.print()
    except (terminal.Refused, terminal.SessionEnded, terminal.Unreachable) as problem:
        _fail(str(problem), status=1)


@app.command()
def rank_log(
    file: Annotated[Path, typer.Argument(help="Where to write; what is there is replaced.")],
    demo: Annotated[bool, typer.Option("--demo", help="Make up what demo players ask and answer.")] = False,
) -> None:
    """Write whom players could have asked, whom they asked, and what was answered, for rank-eval. It has no names."""
    settings = main_settings()

    async def log(database: Database) -> int:
        records = demo_world.make_up(database, DEMO_SEARCHES) if demo else replay.collect(database)
        return replay.write(file, [record async for record in records])

    with home(settings) as database:
        if demo:
            _with_database(database, _prepare)
            asyncio.run(demo_world.load(database.url, Gate(settings), console))
        count = _with_database(database, log)
    console.print(f"{file} has {count} searches.")


@app.command()
def rank_eval(
    file: Annotated[Path, typer.Argument(help="Searches and answers, from rank-log.", exists=True)],
    weights: Annotated[Path | None, typer.Option(help="Another ranking.toml, to compare.", exists=True)] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw both into this SVG file.")] = None,
) -> None:
    """Replay searches and judge their first pages, by the current weights and by others."""
    try:
        records = list(track(replay.read(file), "Reading", console=console, transient=True))
        rankings = [RANKING, *([Ranking.read(weights.read_text(encoding="utf-8"))] if weights else [])]
        judged = []
        for ranking in rankings:
            by = Weights.of(ranking=ranking)
            progress = track(records, f"Ranking by {ranking.version}", console=console, transient=True)
            judged.append((by, replay.judge(progress, by)))
    except ValueError as error:
        _fail(str(error), status=1)
    table = Table("ranking", "searches", "NDCG at 20", "acceptance at 20")
    for ranking, (_, found) in zip(rankings, judged, strict=True):
        table.add_row(ranking.version, str(found.searches), f"{found.ndcg:.4f}", f"{found.acceptance:.4f}")
    console.print(table)
    if picture is not None:
        picture.write_text(replay.draw(judged[0], judged[-1]), encoding="utf-8")
        console.print(f"{picture} is drawn.")


@contextlib.contextmanager
def home(settings: Settings) -> Iterator[Home]:
    """Give the database: the one that is set, or the embedded one, which stops with the last command that uses it."""
    if settings.database_url is not None:
        yield Home(settings.database_url.get_secret_value(), "PostgreSQL", is_embedded=False)
        return
    folder = settings.data_dir / "postgres"
    try:
        with EmbeddedPostgres(folder, binaries=settings.pg_bin) as server:
            name = f"PostgreSQL {server.version_text} (embedded, {folder})"
            yield Home(server.url(), name, is_embedded=True)
    except EmbeddedPostgresError as error:
        _fail(str(error))


def _serve(settings: Settings, *, prepare: bool) -> None:
    _require_free_port(settings)
    _require_trusted_documents(settings)
    with home(settings) as database:
        if prepare or database.is_embedded:
            _with_database(database, _prepare)
        elif not _with_database(database, migrations.is_current):
            _fail("the database is not at the schema of this release: run `gamebuddy migrate`")
        summary = asyncio.run(demo_world.load(database.url, Gate(settings), console)) if settings.demo else None
        _print_banner(settings, database, summary)
        _hand_down(settings, database)
        # uvicorn raises the signal once more when all is done: who was told to stop, and did, has not failed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        config = uvicorn.Config(
            "gamebuddy.app:from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            # Addresses are read from X-Forwarded-For in one place, from the proxies that are set: see schema/view.py.
            proxy_headers=False,
            ws=wire.Protocol,
            ws_max_size=settings.max_socket_message_bytes,
            ws_per_message_deflate=False,
            # Pings are sent by the protocol of the socket itself, where a client can see why.
            ws_ping_interval=None,
            # A loop that stood still may end connections that have waited too long before it reads what they were sent
            # meanwhile. So this is longer than it may stand still; a proxy lets go of what it does not use much sooner.
            timeout_keep_alive=30,
            timeout_graceful_shutdown=15,
            # A worker answers only when it has been imported, which takes a busy machine longer than the usual 5 s.
            timeout_worker_healthcheck=30,
        )
        with contextlib.suppress(KeyboardInterrupt):
            if settings.workers == 1:
                uvicorn.Server(config).run()
            else:
                Workers(config, [config.bind_socket()]).run()


def _hand_down(settings: Settings, database: Home) -> None:
    """Leave what was decided here to the workers, which read their settings themselves."""
    os.environ[f"{configuration.PREFIX}DATABASE_URL"] = database.url
    os.environ[f"{configuration.PREFIX}SECRET_KEY"] = settings.secret().decode()
    os.environ[f"{configuration.PREFIX}DEMO"] = str(settings.demo)


def _require_free_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            _fail(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
                f"set {configuration.PREFIX}PORT to another port"
            )


def _require_trusted_documents(settings: Settings) -> None:
    """Read the manifests once before any process of the server does: what is wrong with one is told once."""
    if settings.trusted_documents:
        try:
            Documents(root.build_schema(), settings)
        except SettingsError as error:
            _fail(str(error))


def _print_banner(settings: Settings, database: Home, summary: str | None) -> None:
    heading = f"GameBuddy {version('gamebuddy')} · {database.name}"
    lines = [
        heading + (f" · demo: {summary}" if summary else ""),
        f"  GraphiQL   {settings.url}/graphql" + ("    (tabs ready, signed in as nika)" if summary else ""),
        f"  Start page {settings.url}/"
        + (f"           Mailbox {settings.url}/dev/mail" if settings.is_development else ""),
    ]
    if summary:
        names = " · ".join(demo_world.KNOWN)
        lines.append(
            f"  Sign in as {names}   password: {demo_world.PASSWORD}    token: gamebuddy token {demo_world.KNOWN[0]}"
        )
    where = f"Your data stays in {settings.data_dir}; `make clean` removes it." if database.is_embedded else ""
    lines.append(f"  Stop with Ctrl-C. {where}".rstrip())
    console.print("\n".join(lines), markup=False)


async def _prepare(database: Database) -> int:
    await migrations.upgrade(database)
    async with database.write() as session:
        return await games.load_catalogue(session)


async def _check_drift(database: Database) -> None:
    await migrations.upgrade(database)
    await migrations.check_drift(database)


def _with_database[T](home: Home, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run work on the database; one that cannot be reached ends the command with one line and status 2."""

    async def inside() -> T:
        database = Database(home.url, pool_size=2, statement_timeout_seconds=PATIENT_SECONDS)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(inside())
    except (Unavailable, OSError) as error:
        _fail(f"cannot reach the database: {str(error.__cause__ or error).splitlines()[0]}")


def _fail(line: str, *, status: int = 2) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"gamebuddy: {line}", markup=False)
    raise SystemExit(status)
