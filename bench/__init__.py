"""How fast the system is, as ratios against limits measured in the same run: a bare gRPC echo, and pgbench."""

from bench.run import main

__all__ = ["main"]
