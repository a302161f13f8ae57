"""Keeper of one embedded PostgreSQL: makes its data directory, runs it while anyone uses it, then stops it.

A program of its own, started by `embedded.py` in isolated mode (standard library only), because the
server has to outlive the command that started it. Its two locks are the kernel's, so that no kill -9
can leave a false one behind:

- `server.lock` (exclusive) is handed over open by the starter and passed on to PostgreSQL. It is free
  exactly when neither a keeper nor any process of the server lives.
- `users.lock` (shared) is held by every process that uses the server. When nobody has held it for the
  linger time, the keeper takes it exclusively, stops the server and ends.

A keeper that is killed takes the server along (PR_SET_PDEATHSIG). macOS knows no such signal: there
the server stays, and the next user joins it.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

POLL_SECONDS: Final = 0.1
STOP_SECONDS_MAX: Final = 60
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Read the order (see `embedded.py`), leave the starter's process family, keep the server."""
    server_lock = int(sys.argv[1])
    order = json.loads(sys.argv[2])
    if os.fork():
        os._exit(0)  # the starter need not reap the keeper, nor its own parents
    keep(order, server_lock)


def keep(order: dict[str, Any], server_lock: int) -> None:
    """Run the server until nobody uses it any more, or until it ends by itself."""
    home = Path(order["home"])
    os.chdir(home)
    _make_data_directory(order, server_lock)
    server = _spawn([order["bin"] + "/postgres", "-D", str(home / "data"), *order["options"]], order, server_lock)
    users = os.open(home / "users.lock", os.O_RDWR)
    idle_since: float | None = None
    while server.poll() is None:
        time.sleep(POLL_SECONDS)
        if not _try_lock(users):
            idle_since = None
            continue
        idle_since = idle_since or time.monotonic()
        if time.monotonic() - idle_since >= order["linger_seconds"]:
            _stop(server)  # with `users` still locked: whoever comes now waits, then starts anew
            return
        fcntl.flock(users, fcntl.LOCK_UN)


def _make_data_directory(order: dict[str, Any], server_lock: int) -> None:
    """Create the cluster beside its place and rename it, so that a directory that exists is complete."""
    home = Path(order["home"])
    if (home / "data").exists():
        return
    unfinished = home / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    initdb = [order["bin"] + "/initdb", "-D", str(unfinished), *order["initdb_options"]]
    create_database = [order["bin"] + "/postgres", "--single", "-D", str(unfinished), "postgres"]
    for command, statement in ((initdb, ""), (create_database, f"create database {order['database']}\n")):
        process = _spawn(command, order, server_lock, stdin=subprocess.PIPE)
        process.communicate(statement.encode())
        if process.returncode:
            sys.exit(f"{command[0]} failed with code {process.returncode}")
    unfinished.rename(home / "data")
    directory = os.open(home, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def _spawn(
    command: list[str], order: dict[str, Any], server_lock: int, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    # A clean environment: PGDATA, PGPORT, PGOPTIONS or a locale of the starter must not reach the server.
    return subprocess.Popen(  # noqa: S603 - the command comes from our own starter
        [*order["run_as"], *command],
        stdin=stdin,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        pass_fds=(server_lock,),
        preexec_fn=_die_with_the_keeper,  # noqa: PLW1509 - the keeper has one thread
    )


def _die_with_the_keeper() -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)  # PostgreSQL's fast shutdown


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)  # stops at once; the next start recovers from the log
        server.wait()


if __name__ == "__main__":
    main()
