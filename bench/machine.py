"""On what the figures were measured: a number without its machine says nothing."""

import os
import platform
from pathlib import Path

import grpc
import psycopg


def describe(postgres: psycopg.Connection) -> dict[str, str | int]:
    (version,) = postgres.execute("SHOW server_version").fetchone() or ("unknown",)
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
        "psycopg": psycopg.__version__,
        "postgresql": version,
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
