import sys

from chassis.service import main

from phase2 import SERVICES

sys.exit(main("phase2", SERVICES))
