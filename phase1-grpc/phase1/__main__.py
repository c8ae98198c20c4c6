import sys

from chassis.service import main

from phase1 import SERVICES

sys.exit(main("phase1", SERVICES))
