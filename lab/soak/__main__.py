"""Run the soak test.

::

    python -m lab.soak                  run for half an hour, write docs/reliability.md
    python -m lab.soak --minutes 2      a trial run, do not write the page
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys

from lab.kit.processes import Failed, prepare
from lab.kit.terminal import say

from .probe import FOLDER
from .report import FULL_MINUTES, is_good, text_of, write
from .run import Plan, soak

BROWSERS = 200
UPDATES = 500
STREAMS = 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=float, default=FULL_MINUTES, help=f"default {FULL_MINUTES}"
    )
    parser.add_argument("--browsers", type=int, default=BROWSERS, help=f"default {BROWSERS}")
    parser.add_argument(
        "--updates", type=float, default=UPDATES, help=f"a second, default {UPDATES}"
    )
    parser.add_argument("--seed", type=int, help="of faults, prices and visits; default: a new one")
    parser.add_argument("--streams", type=int, default=STREAMS, help=f"default {STREAMS}")
    return parser.parse_args()


def main() -> int:
    """Run the command; return 1 if something did not recover or memory grew."""
    arguments = _arguments()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    prepare()
    shutil.rmtree(FOLDER, ignore_errors=True)
    say(f"seed {seed}")
    plan = Plan(seed, arguments.minutes, arguments.browsers, arguments.updates, arguments.streams)
    try:
        result = soak(plan)
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(text_of(result))
    if plan.minutes >= FULL_MINUTES:
        write(result)
    return 0 if is_good(result) else 1


if __name__ == "__main__":
    sys.exit(main())
