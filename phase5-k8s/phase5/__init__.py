"""The system as of phase 5: phase 4's, with users, and a gateway before it."""

from phase4 import SERVICES as SERVICES_BEFORE
from phase4 import STEPS as STEPS_BEFORE

SERVICES = SERVICES_BEFORE
STEPS = STEPS_BEFORE
