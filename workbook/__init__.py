"""The learner's tool: the local stack, the checklist board, the lessons, the command line."""

import os

# gRPC's remarks ("skipping fork() handlers") would land in the middle of a lesson's output, now and then. Errors still show.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
