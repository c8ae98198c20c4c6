"""The services of phase 3 as test builds: `python -m tests.builds.phase3 serve SERVICE`, changed by the environment.

FAILPOINTS=FOLDER   die on a message's way when a file of the point's name appears there (telling.py)
WITHOUT=GUARD       run with one guard switched off (telling.py)
"""

import os
import sys
from pathlib import Path

from chassis.service import main
from phase3 import SERVICES

from tests.builds import telling


def serve() -> int:
    if "WITHOUT" in os.environ:  # first: the points lie around whatever stands there
        telling.switch_off(os.environ["WITHOUT"])
    if "FAILPOINTS" in os.environ:
        telling.pierce(Path(os.environ["FAILPOINTS"]))
    return main("tests.builds.phase3", SERVICES)


if __name__ == "__main__":
    sys.exit(serve())
