"""`tenor up`: make the database ready."""

from rich.markup import escape

from tenor.cli.output import JsonOption, counted, out, print_json, refusals
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings


def up(*, as_json: JsonOption = False) -> None:
    """Start or join the database and apply every migration. Safe to repeat."""
    with refusals(as_json=as_json):
        settings = Settings.from_environment()
        with Database.open(settings) as database:
            applied = migrate(database)
            if as_json:
                print_json({"database": database.description, "applied": applied})
                return
            out.print(f"[green]Ready[/]  {escape(database.description)}")
            out.print(
                f"{counted(len(applied), 'migration')} applied" if applied else "every migration was applied already"
            )
