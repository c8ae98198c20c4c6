"""The overlays in phase5-k8s/k8s, rendered by kubectl; and what they need that git does not take."""

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from access.keys import make_keys
from phase5 import HOLDERS

from workbook.phases import ROOT

K8S = ROOT / "phase5-k8s" / "k8s"
NAMESPACE = "tickets"
IMAGES = ("api-gateway", "booking-service", "event-service", "metrics-consumer", "user-service")
_PASSWORDS = {"postgres.env": "POSTGRES_PASSWORD", "grafana.env": "GF_SECURITY_ADMIN_PASSWORD"}
_BESIDE = "phase4-observability"
RELEASE = "release"  # the overlay that is written, not kept in git
_VERSION = re.compile(r"[a-z0-9]{1,40}")  # a part of a Job's name, behind its last dash
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class CannotRender(Exception):
    """kubectl is missing, or says what is wrong with the manifests."""


class NotAnImage(Exception):
    """What the build says of an image cannot be deployed; the text says why."""


def overlay(name: str) -> Path:
    """The folder of an overlay; CannotRender names those there are."""
    known = sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml"))
    if name not in known:
        raise CannotRender(f"there is no overlay {name}; there is {', '.join(known)}")
    return K8S / "overlays" / name


def rendered(folder: Path) -> str:
    """All objects of a kustomization, as YAML."""
    if shutil.which("kubectl") is None:
        raise CannotRender("kubectl is not on the PATH; it is one file: https://kubernetes.io/docs/tasks/tools/")
    ended = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise CannotRender(ended.stderr.strip())
    return ended.stdout


def make_secrets(folder: Path) -> list[Path]:
    """Makes what the overlay's secretGenerator reads, where there is none; returns what was made.

    What is there stays: PostgreSQL keeps the password it was made with, and tokens are verified by these keys.
    """
    keys = folder / "keys"
    made = [keys / f"{name}.json" for name in make_keys(keys, HOLDERS)]
    passwords = [folder / name for name in _PASSWORDS if not (folder / name).exists()]
    for path in passwords:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{_PASSWORDS[path.name]}={secrets.token_urlsafe(24)}\n")
    return [*passwords, *made]


def copied(into: Path) -> Path:
    """A copy of k8s/ with what it takes from phase 4 beside it, and with secrets of its own: no file here changes."""
    folder = into / K8S.relative_to(ROOT)
    shutil.copytree(K8S, folder, ignore=shutil.ignore_patterns("*.env", "keys", RELEASE))
    shutil.copytree(ROOT / _BESIDE, into / _BESIDE, ignore=shutil.ignore_patterns("*.py"))
    for path in folder.glob("overlays/*/kustomization.yaml"):
        make_secrets(path.parent)
    return folder


def digests(metadata: str) -> dict[str, str]:
    """`registry/name@sha256:…` of each image by its name, from what `docker buildx bake --metadata-file` wrote."""
    built = json.loads(metadata)
    return {name: _pushed(name, built.get(name, {})) for name in IMAGES}


def _pushed(name: str, told: Mapping[str, str]) -> str:
    names, digest = told.get("image.name", ""), told.get("containerimage.digest", "")
    if not names or not _DIGEST.fullmatch(digest):
        raise NotAnImage(f"the build says of {name} no name or no digest: was it pushed?")
    repository = names.split(",")[0].rpartition(":")[0]
    return f"{repository}@{digest}"


def write_release(version: str, images: Mapping[str, str], where: Path = K8S) -> Path:
    """An overlay on top of prod that names the version and each image by its digest; returns its folder.

    The version stands in quotes: twelve digits of a commit may read like a number, which is no tag and no label.
    """
    if not _VERSION.fullmatch(version):
        raise NotAnImage(f"a version is small letters and digits, at most 40 of them; not {version!r}")
    component = (where / "components" / "version" / "kustomization.yaml").read_text()
    _, _, rules = component.partition("kind: Component\n")
    named = _TAGGED.sub(lambda line: _image(version, line["name"], images[line["name"]]), rules)
    folder = where / "overlays" / RELEASE
    folder.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text(_RELEASE_HEAD + named.replace(f": {_OWN_VERSION}", f': "{version}"'))
    return folder


def _image(version: str, name: str, image: str) -> str:
    repository, _, digest = image.partition("@")
    return f'  - {{name: ticket-workbook/{name}, newName: {repository}, newTag: "{version}", digest: "{digest}"}}'


_OWN_VERSION = "phase5"  # what the overlays in git run
_TAGGED = re.compile(rf"^  - {{name: ticket-workbook/(?P<name>[a-z-]+), newTag: {_OWN_VERSION}}}$", re.MULTILINE)
_RELEASE_HEAD = """# Written by `./learn cluster release`: prod, in one version, each image by its digest.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../prod]
"""
