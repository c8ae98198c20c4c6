"""Each overlay rendered once, from a copy: its secrets are made there, and no test changes the repository's files."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from workbook.cluster.manifests import Manifests
from workbook.cluster.overlays import copied, rendered
from workbook.needs import needs

_OVERLAYS = ("dev", "prod")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of k8s/ with what it takes from phase 4 beside it."""
    needs("kubectl")
    return copied(tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="session")
def text(folder: Path) -> Callable[[str], str]:
    return cache(lambda overlay: rendered(folder / "overlays" / overlay))


@pytest.fixture(scope="session")
def manifests(text: Callable[[str], str]) -> Callable[[str], Manifests]:
    return cache(lambda overlay: Manifests.of(text(overlay)))


@pytest.fixture(params=_OVERLAYS, scope="session")
def overlay(request: pytest.FixtureRequest, manifests: Callable[[str], Manifests]) -> Manifests:
    """Each overlay in turn."""
    return manifests(request.param)


@pytest.fixture(scope="session")
def dev(manifests: Callable[[str], Manifests]) -> Manifests:
    return manifests("dev")
