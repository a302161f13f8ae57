"""What the figures were measured on."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tenor.platform.database import Connection, Database
from tenor.platform.settings import Settings

_PAGE: Final = b"\0" * 8192
_FSYNC_SECONDS: Final = 0.5
_HERE: Final = Path(__file__).resolve().parent
_SOURCE: Final = str(_HERE.parents[1] / "src")
_SHOWN_SETTINGS: Final = ("shared_buffers", "max_wal_size", "fsync", "synchronous_commit")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, the server and the code. `load` is the load average of the minute before the start."""

    measured_at: str
    commit: str
    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    server: str
    fsync_microseconds: float
    load: float


def look_at_machine(folder: Path, settings: Settings) -> Machine:
    """Return the facts; `folder` is on the disk that the server of `settings` writes to."""
    with Database.open(settings) as database, database.setup() as connection:
        shown = [f"{name} {_setting(connection, name)}" for name in ("server_version", *_SHOWN_SETTINGS)]
    return Machine(
        measured_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        server=", ".join(shown),
        fsync_microseconds=_fsync_microseconds(folder / "fsync.probe"),
        load=round(os.getloadavg()[0], 1),
    )


def _setting(connection: Connection, name: str) -> str:
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


def _fsync_microseconds(probe: Path) -> float:
    """Return what it costs to write 8 kB over and over and have them on disk, as pg_test_fsync measures fdatasync."""
    sync = getattr(os, "fdatasync", os.fsync)
    file = os.open(probe, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, _PAGE)
        os.fsync(file)
        count, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < _FSYNC_SECONDS:
            os.pwrite(file, _PAGE, 0)
            sync(file)
            count += 1
        return round((time.perf_counter() - begun) / count * 1e6, 1)
    finally:
        os.close(file)
        probe.unlink()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    """Return the commit, with a plus sign where files differ from it; 'unknown' outside a repository."""
    try:
        commit, changes = (
            subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=_HERE).stdout.strip()
            for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", _SOURCE])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+" if changes else commit
