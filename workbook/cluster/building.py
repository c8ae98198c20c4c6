"""A control plane's programs, built from Go modules into .learn/cluster: once, some half an hour of CPU, 2 GB on disk.

Kubernetes is no library to Go: its module asks for its own parts at version v0.0.0, which is nowhere. So a throwaway
module says where each of them is.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from workbook.phases import ROOT
from workbook.terminal import console

KUBERNETES, ETCD, KWOK, METRICS_SERVER = "1.36.3", "v3.6.8", "v0.8.0", "v0.9.0"
GATEWAY_API = "v1.6.3"
FOLDER = ROOT / ".learn" / "cluster"
PROGRAMS = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "etcd": "go.etcd.io/etcd/server/v3",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
}
_PARTS = re.compile(r"^\s*(k8s\.io/[a-z-]+) v0\.0\.0$", re.MULTILINE)


class CannotBuild(Exception):
    """Go is missing, or it says why not."""


def programs() -> dict[str, Path]:
    """Where each program is; what is not there yet is built, one at a time and politely, and may be interrupted."""
    if shutil.which("go") is None:
        raise CannotBuild("Go is not on the PATH; see https://go.dev/dl")
    found = {name: FOLDER / f"{name}-{KUBERNETES}" for name in PROGRAMS}
    missing = [name for name, path in found.items() if not path.exists()]
    if missing:
        module = _throwaway_module()
        for name in missing:
            console.print(f"building {name}: minutes")
            _go("build", "-trimpath", "-ldflags", _flags(), "-o", f"{found[name]}.part", PROGRAMS[name], at=module)
            Path(f"{found[name]}.part").rename(found[name])
    return found


def module_folder(module: str) -> Path:
    """Where Go keeps a module's files, fetched if need be."""
    return Path(json.loads(_go("mod", "download", "-json", module, at=FOLDER))["Dir"])


def _throwaway_module() -> Path:
    module = FOLDER / "module"
    module.mkdir(parents=True, exist_ok=True)
    kubernetes = f"k8s.io/kubernetes@v{KUBERNETES}"
    told = Path(json.loads(_go("mod", "download", "-json", kubernetes, at=module))["GoMod"]).read_text()
    parts = "".join(f"replace {part} => {part} v0.{KUBERNETES[2:]}\n" for part in sorted(set(_PARTS.findall(told))))
    (module / "go.mod").write_text(
        f"module throwaway\n\ngo 1.26.4\n\nrequire k8s.io/kubernetes v{KUBERNETES}\n"
        f"require go.etcd.io/etcd/server/v3 {ETCD}\nrequire sigs.k8s.io/kwok {KWOK}\n"
        f"require sigs.k8s.io/metrics-server {METRICS_SERVER}\n\n{parts}"
    )
    return module


def _flags() -> str:
    """What Kubernetes' own build tells its programs: else they would say that they are v0.0.0."""
    told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": "1", "gitMinor": KUBERNETES.split(".")[1]}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in told.items())])


def _go(*arguments: str, at: Path) -> str:
    at.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOFLAGS": "-p=1 -mod=mod", "CGO_ENABLED": "0"}
    ended = subprocess.run(
        ["nice", "go", *arguments], cwd=at, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if ended.returncode:
        raise CannotBuild(f"go {arguments[0]} ended with {ended.returncode}; it can be run again")
    return ended.stdout
