"""Settings, as they are read from the environment."""

from dataclasses import Field, fields
from pathlib import Path

import pytest

from tenor.kernel.errors import Malformed
from tenor.platform.database import Database
from tenor.platform.settings import Settings


def test_nothing_set_means_embedded_in_the_working_directory() -> None:
    assert Settings.from_environment({"TENOR_DATABASE_URL": ""}) == Settings(data_dir=Path(".tenor"))


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "TENOR_DATABASE_URL": "postgresql://owner:secret@db/books",
            "TENOR_APP_DATABASE_URL": "postgresql://app:secret@db/books",
            "TENOR_AUDITOR_DATABASE_URL": "postgresql://auditor:secret@db/books",
            "TENOR_DATA_DIR": "/data",
            "TENOR_EMBEDDED_LINGER_SECONDS": "0.5",
        }
    )

    assert settings == Settings(
        database_url="postgresql://owner:secret@db/books",
        app_database_url="postgresql://app:secret@db/books",
        auditor_database_url="postgresql://auditor:secret@db/books",
        data_dir=Path("/data"),
        embedded_linger_seconds=0.5,
    )
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("one", fields(Settings), ids=lambda one: one.name)
def test_each_setting_is_read_from_the_variable_that_it_names(one: Field[object]) -> None:
    given = {"TENOR_WEBHOOKS_ALLOW_LOCAL": "1", "TENOR_EMBEDDED_LINGER_SECONDS": "7"}
    variable = one.metadata["variable"]
    read, default = Settings.from_environment({variable: given.get(variable, "x" * 40)}), Settings.from_environment({})
    assert [other.name for other in fields(Settings) if getattr(read, other.name) != getattr(default, other.name)] == [
        one.name
    ]


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "3601"])
def test_a_linger_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="TENOR_EMBEDDED_LINGER_SECONDS"):
        Settings.from_environment({"TENOR_EMBEDDED_LINGER_SECONDS": text})


@pytest.mark.parametrize("url", ["mysql://me:secret@db/books", "secret"])
def test_what_is_no_url_of_postgresql_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Malformed, match="postgresql://") as refusal:
        Database.open(Settings(database_url=url))
    assert "secret" not in str(refusal.value)
