"""A registry of images, as a folder laid out as OCI wants it: content by its digest, and tags that point at it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

_OCI = "application/vnd.oci.image"
_TAG = "org.opencontainers.image.ref.name"

Files = Mapping[str, bytes]


class NotTheSame(Exception):
    """What lies under a digest is not what it was made of."""


class Registry:
    """What is pushed stays under its digest; a tag points at what was pushed under it last."""

    def __init__(self, folder: Path) -> None:
        self._blobs, self._index = folder / "blobs" / "sha256", folder / "index.json"
        self._blobs.mkdir(parents=True, exist_ok=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def push(self, tag: str, files: Files, built: datetime) -> str:
        """Builds an image of one layer, as any builder does: with the time in it. Returns its digest."""
        layer = _tar(files, built)
        config = {
            "created": built.isoformat(),
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": self._kept(json.dumps(config).encode(), "config.v1+json"),
            "layers": [self._kept(layer, "layer.v1.tar")],
        }
        pushed = self._kept(json.dumps(manifest).encode(), "manifest.v1+json")
        others = [each for each in self._tags() if each["annotations"][_TAG] != tag]
        index = {"schemaVersion": 2, "manifests": [*others, {**pushed, "annotations": {_TAG: tag}}]}
        self._index.write_text(json.dumps(index))
        return str(pushed["digest"])

    def digest(self, tag: str) -> str:
        """What the tag means now."""
        return next(str(each["digest"]) for each in self._tags() if each["annotations"][_TAG] == tag)

    def pull(self, name: str) -> dict[str, bytes]:
        """The files of an image by its tag or its digest; raises NotTheSame when a single byte is another."""
        manifest = json.loads(self._blob(name if name.startswith("sha256:") else self.digest(name)))
        files = {}
        for layer in manifest["layers"]:
            with tarfile.open(fileobj=io.BytesIO(self._blob(layer["digest"]))) as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    files[member.name] = content.read() if content else b""
        return files

    def spoil(self, digest: str, old: bytes, new: bytes) -> None:
        """Somebody with a hand in the registry's storage changes bytes of an image's layer."""
        layer = json.loads(self._blob(digest))["layers"][0]["digest"]
        path = self._path(layer)
        path.write_bytes(path.read_bytes().replace(old, new))

    def _tags(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._index.read_text())["manifests"] if self._index.exists() else []
        return found

    def _kept(self, content: bytes, kind: str) -> dict[str, Any]:
        digest = digest_of(content)
        self._path(digest).write_bytes(content)
        return {"mediaType": f"{_OCI}.{kind}", "digest": digest, "size": len(content)}

    def _blob(self, digest: str) -> bytes:
        content = self._path(digest).read_bytes()
        if digest_of(content) != digest:
            raise NotTheSame(f"{digest[:19]}… was asked for, and {digest_of(content)[:19]}… is there")
        return content

    def _path(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tar(files: Files, built: datetime) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), int(built.timestamp())
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
