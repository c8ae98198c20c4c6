"""What a statement is called in a trace: what it does to which table."""

import re
from functools import lru_cache

_CHANGES = re.compile(r"\b(INSERT) INTO (\w+)|\b(UPDATE) (?!SET\b)(\w+)|\b(DELETE) FROM (\w+)")
_READS = re.compile(r"\b(SELECT)\b.*?\b(?:FROM|JOIN) (\w+)", re.DOTALL)
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=200)
def described(query: str) -> dict[str, str]:
    """The attributes that OpenTelemetry's conventions have for a statement; its values are parameters, not in it."""
    text = _SPACE.sub(" ", query).strip()
    found = _CHANGES.search(text) or _READS.search(text)
    operation, table = [part for part in found.groups() if part] if found else (text.split(" ", 1)[0].upper(), "")
    attributes = {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
        "db.query.summary": f"{operation} {table}".strip(),
        "db.query.text": text,
    }
    return {**attributes, "db.collection.name": table} if table else attributes
