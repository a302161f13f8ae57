"""Work in a process of its own, so that its memory and its caches are its own; and how far it has come."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

P = ParamSpec("P")
T = TypeVar("T")

_STDERR: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def in_own_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns; it runs in a fresh process that may start more of them."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()


def peak_memory_mib(pid: int) -> float | None:
    """Return the largest resident set that a living process has had; None where the system does not tell.

    Not getrusage: its maximum begins with what the parent held when it started the process.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), None)
    return None if kib is None else round(int(kib) / 1024, 1)


def cpu_seconds(pid: int) -> float | None:
    """Return the time that a living process has had a core, for itself and in the kernel; None where nobody tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def step(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a step of the benchmark on stderr, with a bar while it goes on; yields what to tell how much is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_STDERR) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=total)
