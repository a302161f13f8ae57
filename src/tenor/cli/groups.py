"""Groups of commands."""

from typing import Any

import typer
from typer.core import TyperGroup

from tenor.kernel.closest import did_you_mean


class TellingGroup(TyperGroup):
    """A group that says which commands it has, where one is asked for that it has not."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first argument names, with the other arguments."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            ctx.fail(f"{ctx.command_path} has no command {args[0]!r}{did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def command_group(words: str) -> typer.Typer:
    """Return an empty group whose help says `words`."""
    return typer.Typer(cls=TellingGroup, help=words, no_args_is_help=True)
