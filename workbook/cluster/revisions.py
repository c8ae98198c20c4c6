"""What each service has run: a Deployment keeps a ReplicaSet for every version of it, with a number, its revision.

What runs has the highest revision. A version that comes again, because one went back to it, keeps its ReplicaSet and
gets a new number; so the numbers tell what ran before, and the age of a ReplicaSet tells which version is the newest.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbook.cluster.kubectl import asked

_REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, order=True, slots=True)
class _Ran:
    revision: int
    made: str  # a time, such as 2026-11-30T09:00:00Z


@dataclass(frozen=True, slots=True)
class History:
    """What one Deployment has run, in this order."""

    ran: tuple[_Ran, ...]

    @property
    def now(self) -> int:
        """The revision that runs."""
        return self.ran[-1].revision

    @property
    def before(self) -> int | None:
        """The one that ran before the newest version; None if there is none, or if one has gone back to it already.

        `kubectl rollout undo` by itself would then go forward again, to what was taken back.
        """
        newest = max(self.ran, key=lambda one: (one.made, one.revision))
        return self.ran[-2].revision if len(self.ran) > 1 and newest == self.ran[-1] else None


def histories(selector: str) -> Mapping[str, History]:
    """By the names of the Deployments."""
    found = defaultdict[str, list[_Ran]](list)
    for one in json.loads(asked("get", "replicasets", f"--selector={selector}", "--output=json"))["items"]:
        for owner in one["metadata"].get("ownerReferences", []):
            found[owner["name"]].append(_ran(one["metadata"]))
    return {name: History(tuple(sorted(ran))) for name, ran in found.items()}


def _ran(about: Mapping[str, Any]) -> _Ran:
    return _Ran(int(about["annotations"][_REVISION]), about["creationTimestamp"])
