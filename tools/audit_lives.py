"""Live many lives of a company by lot and audit each on its way: `python -m tools.audit_lives 0 50 --steps 300`.

Prints a line for each life; ends with 1 where a law was broken, a proof found something or a bill was not idle the
second time. The same seed lives the same life, so `--every 1` then names the step.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from tenor.platform.database import Database
from tenor.subscribers import SUBSCRIBERS
from tests.support.audited_deeds import DEEDS
from tests.support.audited_lives import Story, audited
from tests.support.company import Company
from tests.support.postgres import DIRECTORY, shared_server


def main() -> int:
    """Live the lives that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--every", type=int, default=5)
    asked = parser.parse_args()
    is_sound = True
    with tempfile.TemporaryDirectory() as directory:
        os.environ[DIRECTORY], os.environ["TENOR_KEYS_FILE"] = directory, str(Path(directory) / "keys")
        with shared_server() as server:
            template = server.template()
            for seed in range(asked.first, asked.end):
                begun = perf_counter()
                with server.fresh_database(template) as name:
                    settings = server.settings(name)
                    with Database.open(settings, subscribers=SUBSCRIBERS) as database:
                        story = Story(Company.found(database, settings), seed)
                        found = audited(story, DEEDS, steps=asked.steps, every=asked.every)
                sys.stdout.write(f"{seed}: {'; '.join(found) or 'sound'} ({perf_counter() - begun:.0f} s)\n")
                sys.stdout.flush()
                is_sound = is_sound and not found
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
