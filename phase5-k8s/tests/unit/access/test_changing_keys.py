"""A key is changed step by step: whoever has taken a step and whoever has not believe each other's tokens."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from access.callers import InvalidToken
from access.keys import KnownKeys, make_keys, own_keys, published, service_keys, user_keys
from access.verifying import Verifier
from phase5 import HOLDERS
from tests.tokens import service_token, user_token

Order = tuple[str, ...]
STEPS: list[Order] = [("old",), ("old", "new"), ("new", "old"), ("new",)]


@pytest.fixture
def holding(tmp_path: Path) -> Callable[[Order], Path]:
    """Makes a folder in which everybody's file holds these keys, in this order."""
    for one in ("old", "new"):
        make_keys(tmp_path / "made" / one, HOLDERS)

    def made(order: Order) -> Path:
        folder = tmp_path / "-".join(order)
        folder.mkdir(exist_ok=True)
        for name in HOLDERS:
            keys = [key for one in order for key in own_keys(tmp_path / "made" / one, name)]
            (folder / f"{name}.json").write_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))
        make_keys(folder, HOLDERS)  # services.json anew
        return folder

    return made


def tokens(folder: Path) -> list[str]:
    return [user_token(folder, "ada"), *(service_token(folder, name) for name in HOLDERS if name != "user-service")]


def verifier(folder: Path) -> Verifier:
    return Verifier(KnownKeys([*user_keys(published(own_keys(folder, "user-service"))), *service_keys(folder)]))


@pytest.mark.parametrize("step", [*pairwise(STEPS)], ids=str)
async def test_no_step_makes_anybody_refuse_a_good_token(
    holding: Callable[[Order], Path], step: tuple[Order, Order]
) -> None:
    for signing in step:
        for token in tokens(holding(signing)):
            for verifying in step:
                assert (await verifier(holding(verifying)).caller(token)).known


async def test_a_new_key_that_signs_at_once_is_refused_by_whoever_does_not_know_it(
    holding: Callable[[Order], Path],
) -> None:
    """The control: the step that the recipe does not take."""
    for token in tokens(holding(("new", "old"))):
        with pytest.raises(InvalidToken):
            await verifier(holding(("old",))).caller(token)
