"""The command `make bench`: measure, then write the page or print it."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tools.benchmark.page import page
from tools.benchmark.results import measure

SUBSCRIPTIONS: Final = 100_000
QUICK_SUBSCRIPTIONS: Final = 10_000
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and return the exit code.

    Only the full size is written to the documentation unless `--output` asks for it; other sizes are printed.
    """
    options = _parser().parse_args(arguments)
    subscriptions = options.subscriptions or (QUICK_SUBSCRIPTIONS if options.quick else SUBSCRIPTIONS)
    results = measure(subscriptions, options.folder, is_synced=not options.no_fsync)
    output = options.output or (PAGE if subscriptions == SUBSCRIPTIONS else None)
    if output is not None:
        output.write_text(page(results), encoding="utf-8")
    if options.json:
        sys.stdout.write(json.dumps(asdict(results), indent=2) + "\n")
    elif output is None:
        sys.stdout.write(page(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the bill run beside its floor and a naive job.")
    parser.add_argument("--subscriptions", type=_positive, help=f"size of the comparison (default {SUBSCRIPTIONS:,})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SUBSCRIPTIONS:,} subscriptions, less exact")
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
