"""The learner's tool: the local stack, the checklist board, the lessons, the command line."""

import os

# gRPC remarks such as "skipping fork() handlers" would land in a lesson's output, now and then. Its errors still show.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
