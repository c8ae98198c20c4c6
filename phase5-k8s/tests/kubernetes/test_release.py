"""A version as it is deployed: each image by its digest, Jobs of its own; and what git never takes."""

import json
import stat
import subprocess
from pathlib import Path

import pytest
from tests.kubernetes.pods import images
from tests.kubernetes.whole import jobs

from workbook.cluster.deploy import version_of
from workbook.cluster.manifests import VERSION, Manifests, containers
from workbook.cluster.overlays import IMAGES, NotAnImage, digests, make_secrets, rendered, write_release
from workbook.needs import needs
from workbook.phases import ROOT

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def told(digest: str = DIGEST) -> str:
    """What bake writes about images that it pushed."""
    of_one = {"image.name": "registry.example/tickets/{}:4f2a9c1", "containerimage.digest": digest}
    return json.dumps({name: {key: value.format(name) for key, value in of_one.items()} for name in IMAGES})


@pytest.fixture(scope="module")
def release(folder: Path) -> Manifests:
    return Manifests.of(rendered(write_release("4f2a9c1", digests(told()), where=folder)))


def test_each_of_our_images_is_named_by_its_digest(release: Manifests) -> None:
    ours = {one["image"] for _, one in containers(release) if "tickets/" in one["image"]}
    assert ours == {f"registry.example/tickets/{name}:4f2a9c1@{DIGEST}" for name in IMAGES}
    assert not any("ticket-workbook" in one["image"] for _, one in containers(release))


def test_a_version_is_one_everywhere(release: Manifests) -> None:
    assert [*images(release), *jobs(release)] == []
    assert {one["metadata"].get("labels", {}).get(VERSION) for one in release.all("Deployment")} == {"4f2a9c1"}
    assert {job.name for job in release.workloads("Job")} >= {"booking-migrate-4f2a9c1", "kafka-topics-4f2a9c1"}


@pytest.mark.parametrize("version", ["123456789012", "123456789e12", "true", "null"])
def test_a_version_that_reads_like_something_else_is_a_text(version: str, folder: Path) -> None:
    text = rendered(write_release(version, digests(told()), where=folder))
    release = Manifests.of(text)
    assert [*images(release), *jobs(release)] == []
    assert {one["metadata"]["labels"][VERSION] for one in release.all("Deployment")} == {version}
    assert version_of(text) == version


def test_what_was_not_pushed_is_not_deployed() -> None:
    for wrong in (told(digest=""), told(digest="latest"), "{}"):
        with pytest.raises(NotAnImage, match="was it pushed"):
            digests(wrong)


@pytest.mark.parametrize("version", ["", "v1.2", "A", "a-b", "x: y\n", "a" * 41])
def test_a_version_that_no_job_can_be_named_by_is_refused(version: str, folder: Path) -> None:
    with pytest.raises(NotAnImage, match="a version is"):
        write_release(version, digests(told()), where=folder)


def test_secrets_are_made_once_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    before = {path: path.read_bytes() for path in made}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert make_secrets(tmp_path) == []
    assert {path: path.read_bytes() for path in made} == before


def test_git_takes_none_of_them(folder: Path) -> None:
    made = [str(path.relative_to(folder.parents[1])) for path in folder.rglob("*") if path.parts[-2:][0] == "keys"]
    secret = [*made, "phase5-k8s/k8s/overlays/prod/postgres.env", "phase5-k8s/k8s/overlays/release/kustomization.yaml"]
    assert ignored(*secret) == set(secret)
    assert ignored("phase5-k8s/k8s/overlays/prod/kustomization.yaml") == set()


def test_bake_builds_each_image_that_is_deployed() -> None:
    needs("docker")
    command = ["docker", "buildx", "bake", "--file=docker-bake.hcl", "--print"]
    plan = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)["target"]
    stages = {line.split()[-1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")}
    assert sorted(plan) == sorted(IMAGES)
    assert {target["target"] for target in plan.values()} <= stages
    assert {tag for target in plan.values() for tag in target["tags"]} == {
        f"ticket-workbook/{n}:phase5" for n in IMAGES
    }


def ignored(*paths: str) -> set[str]:
    command = ["git", "check-ignore", *paths]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split())
