import sys

from chassis.service import main

from phase3 import SERVICES, STEPS

sys.exit(main("phase3", SERVICES, steps=STEPS))
