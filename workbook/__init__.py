"""The learner's tool: the local stack, the checklist board, the lessons, the command line."""
