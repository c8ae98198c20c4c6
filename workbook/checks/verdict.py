"""The words a check speaks with: what is wrong and what to do, or what it needs to run at all."""

from typing import NoReturn

import pytest


class Wrong(Exception):
    """The system under check breaks its contract. `todo` tells its author what to do."""

    def __init__(self, said: str, todo: str) -> None:
        super().__init__(f"{said}; {todo}")
        self.said = said
        self.todo = todo


def expect(holds: object, said: str, todo: str) -> None:
    """Raises Wrong unless `holds`."""
    if not holds:
        raise Wrong(said, todo)


def not_run(needs: str) -> NoReturn:
    """Ends the check without a verdict: it could not be tried here."""
    pytest.skip(needs)
