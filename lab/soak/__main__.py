"""The command.

::

    python -m lab.soak                  half an hour, then docs/reliability.md
    python -m lab.soak --minutes 2      a trial, without the page
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
        "--minutes", type=float, default=FULL_MINUTES, help=f"{FULL_MINUTES} without"
    )
    parser.add_argument("--browsers", type=int, default=BROWSERS, help=f"{BROWSERS} without")
    parser.add_argument("--updates", type=float, default=UPDATES, help=f"a second; {UPDATES}")
    parser.add_argument("--seed", type=int, help="of faults, prices and visits; a new one without")
    parser.add_argument("--streams", type=int, default=STREAMS, help=f"{STREAMS} without")
    return parser.parse_args()


def main() -> int:
    """Do what the command line says; 1 where something did not come back or grew."""
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
