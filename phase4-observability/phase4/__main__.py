import sys

from chassis.service import main
from telemetry.logs import with_trace_ids

from phase4 import SERVICES, STEPS

sys.exit(main("phase4", SERVICES, steps=STEPS, on_each_line=[with_trace_ids]))
