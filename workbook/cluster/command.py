"""`./learn cluster …` on the command line; what a command needs is imported when it runs."""

import argparse
from collections.abc import Callable
from pathlib import Path

from workbook.terminal import DONE, console, error

_ABOUT = "Phase 5's manifests (phase5-k8s/k8s), and the cluster that kubectl knows. Needs kubectl."
_RENDER = "Prints all objects of an overlay, as kubectl would apply them."
_SECRETS = "Makes what git does not take: PostgreSQL's password and the services' keys. What is there stays."
_DEPLOY = (
    "Applies what the services stand on, waits for the version's Jobs, rolls out its services; goes back if they fail."
)
_RELEASE = "Writes the overlay `release`: prod with this version, and each image by the digest that the build told."
_RUSH = (
    "Sells tickets through the gateway while pods are killed: none is lost, none sold twice, every replica gets calls."
)
_PROVE = """Builds a real control plane from Go modules (needs Go, some 30 minutes once), starts it on this machine with
nodes that KWOK plays, and shows that it takes every overlay and that the autoscaler goes up and down."""


def add_cluster(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    cluster = commands.add_parser(
        "cluster", help="Kubernetes: manifests, deploying, a control plane", description=_ABOUT
    )
    steps = cluster.add_subparsers(title="steps", metavar="STEP", required=True)
    for name, about in (("render", _RENDER), ("secrets", _SECRETS), ("deploy", _DEPLOY)):
        step = steps.add_parser(name, help=about.partition(".")[0].partition(":")[0].lower(), description=about)
        step.add_argument("overlay", metavar="OVERLAY", help="dev, prod, or release once it is written")
        step.set_defaults(runner=lambda chosen, name=name: _run(name, chosen.overlay))
    undo = steps.add_parser("undo", help="the version before, of every service")
    undo.set_defaults(runner=lambda _: _run("undo"))
    release = steps.add_parser("release", help="an overlay that names images by digest", description=_RELEASE)
    release.add_argument("version", metavar="VERSION", help="small letters and digits, such as a commit's")
    release.add_argument("metadata", type=Path, help="what `docker buildx bake --metadata-file` wrote")
    release.set_defaults(runner=lambda chosen: _run("release", chosen.version, chosen.metadata))
    for name, about in (("smoke", "is it there, and does it let strangers book?"), ("rush", _RUSH)):
        step = steps.add_parser(name, help=about.partition(":")[0].lower(), description=about)
        step.add_argument("url", metavar="URL", help="the gateway's, such as http://127.0.0.1:8080")
        step.set_defaults(runner=lambda chosen, name=name: _run(name, chosen.url))
    prove = steps.add_parser("prove", help="a real control plane, here", description=_PROVE)
    prove.set_defaults(runner=lambda _: _run("prove"))


def _run(step: str, *arguments: object) -> int:
    from workbook.cluster.problems import PROBLEMS  # noqa: PLC0415 - as the module says

    try:
        _STEPS[step](*arguments)
    except PROBLEMS as problem:
        error(str(problem))
        return 1
    return 0


def _render(name: str) -> None:
    from workbook.cluster.overlays import overlay, rendered  # noqa: PLC0415

    print(rendered(overlay(name)), end="")


def _secrets(name: str) -> None:
    from workbook.cluster.overlays import make_secrets, overlay  # noqa: PLC0415

    for made in make_secrets(overlay(name)):
        console.print(f"{DONE} {made}")


def _deploy(name: str) -> None:
    from workbook.cluster.deploy import deploy  # noqa: PLC0415

    deploy(name)


def _undo() -> None:
    from workbook.cluster.deploy import go_back  # noqa: PLC0415

    go_back()


def _release(version: str, metadata: Path) -> None:
    from workbook.cluster.overlays import digests, write_release  # noqa: PLC0415

    console.print(f"{DONE} {write_release(version, digests(metadata.read_text()))}")


def _smoke(url: str) -> None:
    from workbook.cluster.visitors import smoke  # noqa: PLC0415

    smoke(url)
    console.print(f"{DONE} {url} is ready, and strangers cannot book")


def _rush(url: str) -> None:
    from workbook.cluster.rush import Pods, make_admin, rush  # noqa: PLC0415

    rush(url, make_admin(), Pods())


def _prove() -> None:
    from workbook.cluster.prove import prove  # noqa: PLC0415

    prove()


_STEPS: dict[str, Callable[..., None]] = {
    "render": _render,
    "secrets": _secrets,
    "deploy": _deploy,
    "undo": _undo,
    "release": _release,
    "smoke": _smoke,
    "rush": _rush,
    "prove": _prove,
}
