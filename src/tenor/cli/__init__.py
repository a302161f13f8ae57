"""The command line: parse, call one operation, render. `tenor --help` lists the commands."""

from tenor.cli.app import main

__all__ = ["main"]
