"""Homes of embedded servers, made and not yet made."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.embedded import joined
from tests.support.processes import kill, processes_in, wait_until
from tests.support.run_directory import private_directory


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A short private path for a server that has yet to be made; nothing runs on it afterwards."""
    with private_directory() as directory:
        home = directory / "postgres"
        yield home
        kill(*processes_in(home))
        wait_until(lambda: not processes_in(home))


@pytest.fixture(scope="session")
def made_home() -> Iterator[Path]:
    """The home of a server that was made once and has stopped."""
    with private_directory() as directory:
        home = directory / "postgres"
        with joined(home):
            pass
        wait_until(lambda: not processes_in(home))
        yield home


@pytest.fixture
def home(new_home: Path, made_home: Path) -> Path:
    """A copy of the made home: quicker than making a cluster for each test."""
    shutil.copytree(made_home, new_home)
    return new_home
