"""Each overlay rendered once, from a copy: its secrets are made there, and no test changes the repository's files."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.kubernetes.manifests import Manifests

from workbook.cluster.overlays import K8S, make_secrets, rendered
from workbook.needs import needs
from workbook.phases import ROOT

_OVERLAYS = ("dev", "prod")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of k8s/ with what it takes from phase 4 beside it."""
    needs("kubectl")
    root = tmp_path_factory.mktemp("manifests")
    shutil.copytree(K8S, root / K8S.relative_to(ROOT), ignore=shutil.ignore_patterns("*.env", "keys", "release"))
    shutil.copytree(ROOT / "phase4-observability", root / "phase4-observability", ignore=shutil.ignore_patterns("*.py"))
    for name in _OVERLAYS:
        make_secrets(root / K8S.relative_to(ROOT) / "overlays" / name)
    return root / K8S.relative_to(ROOT)


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
