import sys

from chassis.service import main
from telemetry.logs import with_trace_ids

from phase5 import SERVICES, STEPS

sys.exit(main("phase5", SERVICES, steps=STEPS, on_each_line=[with_trace_ids]))
