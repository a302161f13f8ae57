"""Measure bill run, ingest and API beside their floors, and write docs/benchmarks.md: `make bench`.

The parts are in `tools/benchmark`; this file only makes them importable from wherever it is called.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # the processes that it starts import this file too
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from tools.benchmark.command import main

    sys.exit(main())
