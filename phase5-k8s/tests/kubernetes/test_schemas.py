"""Each object is what three versions of Kubernetes take, to the last field; and they would say so if it were not."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest
from kubernetes_validate import utils

from workbook.cluster.manifests import ABSENT, Manifests

VERSIONS = ("1.35", "1.36", "1.37")
BOOKING = "Deployment/booking-service"


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """The schemas of a version are some megabytes, and are read anew for each object otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(version: str, overlay: Manifests) -> None:
    assert problems(overlay, version) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec template spec containers 0 resource", {}),
        ("spec template spec containers 0 ports 0 containerPort", "50051"),
        ("spec selector", ABSENT),
        ("apiVersion", "apps/v1beta1"),
    ],
)
def test_a_wrong_field_is_noticed(path: str, value: object, dev: Manifests) -> None:
    changed = dev.changed(BOOKING, path, value)
    wrong = Manifests([one for one in changed.objects if one not in dev.objects])
    assert all(len(problems(wrong, version)) == 1 for version in VERSIONS)


def test_kustomize_takes_no_more_than_it_knows(folder: Path) -> None:
    """Each file of k8s/ is part of an overlay or a component: nothing lies there unread."""
    named = " ".join(path.read_text() for path in folder.rglob("kustomization.yaml"))
    files = {path.name for path in folder.rglob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in files if name not in named} == set()


def problems(manifests: Manifests, version: str) -> list[str]:
    return [problem for one in manifests.objects if (problem := _problem(one, version))]


def _problem(one: dict[str, object], version: str) -> str:
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{one['kind']}: {error}"
    return ""
