"""The command `make bench`: measure, then write the page or print it."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tools.benchmark import api, ingest
from tools.benchmark.page import page
from tools.benchmark.results import Sizes, measure

FULL: Final = Sizes(100_000, ingest.EVENTS, ingest.STORED, api.SECONDS)
QUICK: Final = Sizes(10_000, ingest.EVENTS // 4, (ingest.STORED[0] // 5, ingest.STORED[0]), api.SECONDS / 2)
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and return the exit code.

    Only the full size is written to the documentation unless `--output` asks for it; other sizes are printed.
    """
    options = _parser().parse_args(arguments)
    usual = QUICK if options.quick else FULL
    sizes = Sizes(
        options.subscriptions or usual.subscriptions,
        options.events or usual.events,
        usual.stored if options.stored is None else tuple(options.stored),
        options.api_seconds or usual.api_seconds,
    )
    results = measure(sizes, options.folder, is_synced=not options.no_fsync)
    output = options.output or (PAGE if sizes == FULL else None)
    if output is not None:
        output.write_text(page(results), encoding="utf-8")
    if options.json:
        sys.stdout.write(json.dumps(asdict(results), indent=2) + "\n")
    elif output is None:
        sys.stdout.write(page(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure bill run, ingest and API beside their floors.")
    parser.add_argument("--subscriptions", type=_positive, help=f"of the comparison (default {FULL.subscriptions:,})")
    parser.add_argument("--events", type=_positive, help=f"of each measurement of ingest (default {FULL.events:,})")
    parser.add_argument("--stored", type=_positive, nargs="*", help="measure ingest again with so many events stored")
    parser.add_argument("--api-seconds", type=float, help=f"of each kind of call over HTTP (default {api.SECONDS:g})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.subscriptions:,} subscriptions, less exact")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--output", type=Path, help="where to write the page (default for the full size: docs)")
    parser.add_argument("--folder", type=Path, help="where to keep the data meanwhile (default: the system's)")
    parser.add_argument("--no-fsync", action="store_true", help="to try this tool out: figures without it mean nothing")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
