"""How fast the system is, as ratios against limits measured in the same run: a bare gRPC echo, and pgbench."""
