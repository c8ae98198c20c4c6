"""The services of phase 2 as test builds: `python -m tests.builds serve SERVICE`, changed by the environment.

FAILPOINTS=FOLDER   die at a point of the saga when a file of its name appears there (failpoints.py)
CLOCK_SKEW=SECONDS  run with a clock that is wrong by so much (clock.py)
WITHOUT=GUARD       run with one guard switched off (guards.py)
ARRIVALS=FILE       write down each call that arrives at the event service (arrivals.py)
"""

import os
import sys
from pathlib import Path

from tests.builds import clock


def serve() -> int:
    environment = os.environ
    if "CLOCK_SKEW" in environment:
        clock.shift(float(environment["CLOCK_SKEW"]))
    # Only now: what these import keeps the clock it finds.
    from chassis.service import main  # noqa: PLC0415

    from tests.builds import arrivals, failpoints, guards  # noqa: PLC0415

    if "FAILPOINTS" in environment:
        failpoints.pierce(Path(environment["FAILPOINTS"]))
    if "WITHOUT" in environment:
        guards.GUARDS[environment["WITHOUT"]].switch_off(setattr)
    return main("tests.builds", arrivals.counted(environment.get("ARRIVALS")))


if __name__ == "__main__":
    sys.exit(serve())
