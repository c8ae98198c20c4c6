"""The one local stack of a lesson: started on first use, shared by cells and checks, ended with the kernel."""

import atexit
import threading

from workbook.prometheus import prometheus_runs
from workbook.stack import LocalStack

_stacks: dict[int, LocalStack] = {}
_starting = threading.Lock()


def local_stack(phase: int, **environment: str) -> LocalStack:
    """The running system as of `phase` on free ports. Parts that a lesson killed stay dead until it starts them.

    Prometheus is one of them where the phase has rules for it and this machine has one. `environment` is
    added to that of the services when this call is the one that starts them.
    """
    with _starting:  # checks run in threads of their own
        if phase not in _stacks:
            stack = LocalStack(phase, prometheus=prometheus_runs(phase), environment=environment).start()
            atexit.register(stack.stop)
            _stacks[phase] = stack
        return _stacks[phase]
