"""What happened: every call with the moments it began and ended and what was answered, one JSON object a line."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

OK, REFUSED, UNKNOWN, WRONG = "ok", "refused", "unknown", "wrong"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `outcome` is ok, refused (with a `reason`), unknown (no answer: it may have happened, or may still), or
    wrong (an error that nobody should see). Moments are seconds since the run began.
    """

    client: int
    what: str
    began: float
    ended: float
    outcome: str
    reason: str = ""
    key: str = ""
    booking: str = ""
    event: str = ""
    tickets: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault as it really was: from the moment it was inflicted to the moment the part answered again."""

    part: str
    kind: str
    began: float
    ended: float


@dataclass
class History:
    calls: list[Call] = field(default_factory=list)
    faults: list[Happened] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return round(time.monotonic() - self.began, 4)

    def outcomes(self) -> Counter[str]:
        return Counter(call.outcome for call in self.calls)

    def write(self, folder: Path) -> None:
        """Writes calls.jsonl and faults.jsonl."""
        _write(folder / "calls.jsonl", map(asdict, self.calls))
        _write(folder / "faults.jsonl", map(asdict, self.faults))


def _write(path: Path, objects: Iterable[dict[str, object]]) -> None:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in objects))
