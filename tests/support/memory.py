"""A directory in memory for the server of a test run: making a database there takes 20 ms, on a busy disk 600 ms."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - memory is what is meant, and mkdtemp makes the name
_NEEDED_BYTES: Final = 2 << 30
_PREFIX: Final = "tenor-test-"
_SECONDS_TO_STOP: Final = 10.0


def directory_in_memory() -> Path | None:
    """Return a new directory named after this process; None where memory is not offered or too little of it is left.

    What processes that are gone have left behind is removed first.
    """
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    for left in MEMORY.glob(f"{_PREFIX}*"):
        if not _lives(int(left.name.removeprefix(_PREFIX).split("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    if shutil.disk_usage(MEMORY).free < _NEEDED_BYTES:
        return None
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY))


def remove(directory: Path) -> None:
    """Remove a directory in memory as soon as the server in it has stopped."""
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
