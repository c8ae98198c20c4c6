"""What a release changes: a registry, a database and what runs. Commands of a workflow act on it, and fail at will."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

COMMANDS = ("build", "migrate", "deploy", "smoke", "undo")
_COMMAND = re.compile(rf"""^\s*(?:\./)?ci/({"|".join(COMMANDS)})(?:\s+["']?([^"'\s]*)["']?)?\s*$""")
_NEWEST_BEFORE = ["version 0", "version 1"]


def digest_of(what: str) -> str:
    return f"sha256:{hashlib.sha256(what.encode()).hexdigest()}"


@dataclass
class Shop:
    """Version 1 runs, and version 0 ran before it. `fails` names the command that fails this time.

    With `tag_moves` somebody builds the same tag again as soon as it is there.
    """

    fails: str = ""
    tag_moves: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    migrated: str = ""
    history: list[str] = field(default_factory=lambda: list(_NEWEST_BEFORE))
    told: list[str] = field(default_factory=list)
    locks: dict[str, object] = field(default_factory=dict)

    @property
    def runs(self) -> str:
        return self.history[-1]

    def obeys(self, line: str, may: Mapping[str, str], outputs: dict[str, Any]) -> bool:
        """Does what a line of a step says; whether it went well. Lines that say nothing to the shop do."""
        well = True
        for sign, command in re.findall(r"(^|\|\||&&)([^|&]+)", line):
            if (sign == "||" and well) or (sign == "&&" and not well):
                continue
            found = _COMMAND.match(command)
            well = self._does(found[1], found[2] or "", may, outputs) if found else True
        return well

    def _does(self, command: str, name: str, may: Mapping[str, str], outputs: dict[str, Any]) -> bool:
        self.told.append(f"{command} {name}".strip())
        if command == "build":
            return self._build(name, may, outputs)
        acts: dict[str, Callable[[str], bool]] = {"migrate": self._migrate, "deploy": self._deploy}
        if command in acts:
            return acts[command](self._image(name))
        if command == "undo":
            self.history.pop()
        return self.fails != command

    def _build(self, tag: str, may: Mapping[str, str], outputs: dict[str, Any]) -> bool:
        if self.fails == "build" or not tag or may.get("packages") != "write":
            return False
        outputs["digest"] = self.tags[tag] = digest_of(tag)
        if self.tag_moves:
            self.tags[tag] = digest_of(f"{tag}, built again")
        return True

    def _image(self, name: str) -> str:
        """The digest that is meant; none where nothing was pushed under that name."""
        return name if name in {digest_of(tag) for tag in self.tags} else self.tags.get(name, "")

    def _migrate(self, image: str) -> bool:
        if not image or self.fails == "migrate":
            return False
        self.migrated = image
        return True

    def _deploy(self, image: str) -> bool:
        """Pods that do not find the database as they need it never become ready; then the command itself goes back."""
        if not image or self.fails == "deploy" or self.migrated != image:
            return False
        self.history.append(image)
        return True
