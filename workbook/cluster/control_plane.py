"""A real control plane on this machine: etcd, API server, controllers, scheduler; nodes and what they use by KWOK.

Nothing is run on these nodes: KWOK says that pods are ready, or done, as a kubelet would. Everything that decides is
Kubernetes' own. On loopback only; it ends with the block, and its folder goes with it.
"""

import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from workbook.cluster.certificates import Authority, Pair
from workbook.part import Part, Program
from workbook.ports import free_port
from workbook.run_folder import claim_folder, sweep

_ROLES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "metrics-server")
_PATIENCE = 120  # seconds; a busy machine


class ControlPlane:
    """`programs` says where each is, `usage` is KWOK's file of what pods use. `kubeconfig` is an administrator's."""

    def __init__(self, programs: Mapping[str, Path], usage: str) -> None:
        self._programs = programs
        self._usage = usage
        self._ports = {name: free_port() for name in (*_ROLES, "peers")}
        self._token = secrets.token_urlsafe(24)
        self._stack = ExitStack()
        self.kubeconfig = Path()

    def __enter__(self) -> Self:
        sweep()
        self._folder = Path(self._stack.enter_context(claim_folder()).name).parent
        try:
            self._prepare()
            for name, arguments in self._arguments().items():
                self._start(name, arguments)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def port(self, name: str) -> int:
        return self._ports[name]

    def _prepare(self) -> None:
        self._authority = Authority(self._folder)
        self._own, self._proxy = self._authority.pair("server"), self._authority.pair("front-proxy-client")
        self.kubeconfig = self._folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(self._kubeconfig()))
        (self._folder / "tokens.csv").write_text(f"{self._token},admin,admin,system:masters\n")
        (self._folder / "kwok.yaml").write_text(self._usage)

    def _start(self, name: str, arguments: Mapping[str, str]) -> None:
        address = f"127.0.0.1:{self.port(name)}"
        scheme, path = ("http", "/health") if name == "etcd" else ("https", "/healthz")
        program = Program(
            argv=[str(self._programs[name]), *(f"--{key}={value}" for key, value in arguments.items())],
            ready=lambda: self._answers(f"{scheme}://{address}{path}"),
            patience=_PATIENCE,
        )
        part = Part(name, address, program, self._folder / f"{name}.log")
        self._stack.callback(part.stop)
        part.start()

    def _answers(self, url: str) -> bool:
        trusted = ssl.create_default_context(cafile=str(self._authority.certificate))
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(asked, timeout=2, context=trusted) as answer:  # noqa: S310
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except OSError:
            return False

    def _arguments(self) -> dict[str, dict[str, str]]:
        etcd = f"http://127.0.0.1:{self.port('etcd')}"
        serving, kubeconfig = _serving(self._own), str(self.kubeconfig)
        # Neither asks the API server who is asking it: an administrator's token opens all of them.
        alone = {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
        }
        return {
            "etcd": self._of_etcd(etcd),
            "kube-apiserver": {**self._of_api_server(etcd), **serving},
            "kube-controller-manager": {
                **alone, **serving, **self._bound("kube-controller-manager"),
                "service-account-private-key-file": str(self._own.key),
                "root-ca-file": str(self._authority.certificate),
                "use-service-account-credentials": "true",
                "leader-elect": "false",
                "horizontal-pod-autoscaler-sync-period": "2s",  # 15 s by default: what is shown here is what it decides
                "horizontal-pod-autoscaler-cpu-initialization-period": "5s",
                "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
            },
            "kube-scheduler": {**alone, **serving, **self._bound("kube-scheduler"), "leader-elect": "false"},
            "kwok": {
                "kubeconfig": kubeconfig,
                "config": str(self._folder / "kwok.yaml"),
                "manage-all-nodes": "true",
                "node-lease-duration-seconds": "40",  # as kubelets: else the controllers take the nodes for dead
                "node-ip": "127.0.0.1",
                "node-port": str(self.port("kwok")),
                "server-address": f"127.0.0.1:{self.port('kwok')}",
                **serving,
            },
            "metrics-server": {
                **alone, **serving, **self._bound("metrics-server"),
                "kubelet-use-node-status-port": "true",
                "kubelet-certificate-authority": str(self._authority.certificate),
                "kubelet-preferred-address-types": "InternalIP",
                "kubelet-request-timeout": "5s",
                "metric-resolution": "10s",
            },
        }  # fmt: skip

    def _bound(self, name: str) -> dict[str, str]:
        return {"bind-address": "127.0.0.1", "secure-port": str(self.port(name))}

    def _of_etcd(self, url: str) -> dict[str, str]:
        peers = f"http://127.0.0.1:{self.port('peers')}"
        return {
            "data-dir": str(self._folder / "etcd"),
            "listen-client-urls": url,
            "advertise-client-urls": url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "unsafe-no-fsync": "true",
        }

    def _of_api_server(self, etcd: str) -> dict[str, str]:
        return {
            **self._bound("kube-apiserver"),
            "etcd-servers": etcd,
            "service-cluster-ip-range": "10.96.0.0/16",
            "endpoint-reconciler-type": "none",  # it would not publish an address of loopback
            "authorization-mode": "RBAC",
            "token-auth-file": str(self._folder / "tokens.csv"),
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": str(self._own.key),
            "service-account-signing-key-file": str(self._own.key),
            "client-ca-file": str(self._authority.certificate),
            "requestheader-client-ca-file": str(self._authority.certificate),
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": str(self._proxy.certificate),
            "proxy-client-key-file": str(self._proxy.key),
        }

    def _kubeconfig(self) -> dict[str, object]:
        server = f"https://127.0.0.1:{self.port('kube-apiserver')}"
        cluster = {"server": server, "certificate-authority": str(self._authority.certificate)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
            "current-context": "here",
        }


def _serving(pair: Pair) -> dict[str, str]:
    return {"tls-cert-file": str(pair.certificate), "tls-private-key-file": str(pair.key)}
