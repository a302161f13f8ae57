"""The directory of a test run, in memory where it can be: there a database is made in 20 ms, on a busy disk in 600."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - memory is what is meant, and mkdtemp makes the name
_NEEDED_BYTES: Final = 2 << 30
_PREFIX: Final = "tenor-test-"
_SECONDS_TO_STOP: Final = 10.0


@contextmanager
def private_directory() -> Iterator[Path]:
    """Yield a new directory like that of the run, for a server that is not the run's; removed afterwards."""
    directory = directory_of_run()
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def directory_of_run() -> Path:
    """Return a new directory named after this process, on disk where memory is not offered or too little of it is left.

    What processes that are gone have left behind in memory is removed first.
    """
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return Path(tempfile.mkdtemp(prefix=_PREFIX))
    for left in MEMORY.glob(f"{_PREFIX}*"):
        if not _lives(int(left.name.removeprefix(_PREFIX).split("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    if shutil.disk_usage(MEMORY).free < _NEEDED_BYTES:
        return Path(tempfile.mkdtemp(prefix=_PREFIX))
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY))


def remove(directory: Path) -> None:
    """Remove the directory as soon as the server in it has stopped."""
    give_up_at = time.monotonic() + _SECONDS_TO_STOP
    while any(directory.rglob("postmaster.pid")) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    shutil.rmtree(directory, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
