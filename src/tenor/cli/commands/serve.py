"""`tenor serve`: the HTTP API."""

from typing import Annotated

import typer

from tenor.cli.output import JsonOption, err, print_json, refusals
from tenor.cli.session import session


def serve_command(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8090,
    threads: Annotated[int, typer.Option(min=1, max=200, help="Calls that are worked on at once.")] = 32,
    calls_per_minute: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many calls a key may make in a minute, with this process: of N processes give each an N-th.",
        ),
    ] = 6_000,
    as_json: JsonOption = False,
) -> None:
    """Answer the HTTP API until told to stop (Ctrl-C, SIGTERM); calls that have begun are answered first."""
    from tenor.api import listen, serve  # a web framework that no other command needs to wait for

    with refusals(as_json=as_json), session() as opened, listen(host, port) as listener:
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        if as_json:
            print_json({"url": url})
        else:
            err.print(f"[green]Serving[/]  {url}  (reference: {url}/docs; Ctrl-C stops)")
        serve(opened.database, opened.settings, listener, threads=threads, calls_per_minute=calls_per_minute)
