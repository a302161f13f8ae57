"""What still runs: the processes of an embedded server, found by their working directory."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def processes_in(home: Path) -> dict[int, str]:
    """Return the command lines, by pid, of the living processes that work in `home`."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            directory = os.readlink(entry / "cwd")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if command and (directory == str(home) or directory.startswith(f"{home}/")):
            found[int(entry.name)] = command
    return found


def keeper_of(home: Path) -> int:
    """Return the pid of the keeper."""
    return next(pid for pid, command in processes_in(home).items() if "keeper.py" in command)


def server_of(home: Path) -> int:
    """Return the pid of PostgreSQL's first process."""
    return int((home / "data" / "postmaster.pid").read_text().splitlines()[0])


def kill(*pids: int) -> None:
    """Send SIGKILL to each of `pids` that lives."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_until(condition: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Wait for `condition`; an AssertionError when it has not come true after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
