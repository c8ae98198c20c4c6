"""The learner's tool: the local stack, the checklist board, the lessons, the command line."""

import os

from workbook.proxies import spare_this_machine

# gRPC remarks such as "skipping fork() handlers" would land in a lesson's output, now and then. Its errors still show.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

# Here, for lessons and tests open channels of their own, and every service inherits it.
spare_this_machine(os.environ)
