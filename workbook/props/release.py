"""A release played: what runs in the end, when something fails, when a tag moves, when two come at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from workbook.phases import ROOT
from workbook.props.shop_world import Shop, digest_of
from workbook.props.workflow_run import Run, Tree, read

_NAMES = {digest_of(tag): f"version {tag[1:]}" for tag in ("v2", "v3")}
_NAMES[digest_of("v2, built again")] = "another build of version 2"
_MANY = 200  # steps; who takes more of them waits for somebody

# What the commands of this repository's own release stand for; its `deploy` runs the Jobs first, then the services.
_STANDS_FOR = {
    "buildx bake": "ci/build ${{ github.ref_name }}",
    "cluster deploy release": 'ci/migrate "$BUILT" && ci/deploy "$BUILT"',
    "cluster smoke": "ci/smoke",
    "cluster undo": "ci/undo",
}
HAPPENS = {
    "all goes well": {},
    "the build fails": {"fails": "build"},
    "the migration fails": {"fails": "migrate"},
    "the new pods do not become ready": {"fails": "deploy"},
    "the smoke test fails": {"fails": "smoke"},
    "the tag is built again meanwhile": {"tag_moves": True},
}


@dataclass(frozen=True, slots=True)
class Ended:
    """`red` is what people see of the run; `told` are the commands in their order."""

    runs: str
    red: bool
    told: tuple[str, ...]

    @property
    def tried(self) -> bool:
        """Whether what was deployed last was tried after it."""
        acts = [each.split()[0] for each in self.told]
        return "smoke" in acts[len(acts) - acts[::-1].index("deploy") :] if "deploy" in acts else False


def released(workflow: Tree, happens: str) -> Ended:
    """One run for v2, while version 1 runs."""
    shop = Shop(**HAPPENS[happens])  # type: ignore[arg-type]  # each has the fields that it names
    run = Run(workflow, shop, "v2")
    _steps(run.played())
    return _ended(shop, run)


def own_release() -> Tree:
    """This repository's `release`, with the commands that the shop knows in place of its own.

    The tests that it calls are another workflow: here they pass.
    """
    text = (ROOT / ".github/workflows/release.yml").read_text().replace("push.outputs.built", "push.outputs.digest")
    workflow = read(text.replace("uses: ./.github/workflows/ci.yml", "steps: []"))
    for job in workflow["jobs"].values():
        job["env"] = {name: value for step in job["steps"] for name, value in step.get("env", {}).items()}
        for step in job["steps"]:
            said = step.get("run", "")
            step["run"] = next((ours for its, ours in _STANDS_FOR.items() if its in said), "")
    return workflow


def overlapping(workflow: Tree, first_fails: str, second_fails: str) -> Ended:
    """Runs for v2 and v3: the second begins when the first has just deployed."""
    shop = Shop()
    first, second = Run(workflow, shop, "v2"), Run(workflow, shop, "v3")
    going, coming = first.played(), second.played()
    shop.fails = first_fails
    for _ in going:
        if digest_of("v2") in shop.history:
            break
    first.cut_off = first.cancels()
    for fails, run in ((second_fails, coming), (first_fails, going), (second_fails, coming)):
        shop.fails = fails
        _steps(run)
    return _ended(shop, second)


def _steps(run: Iterator[None]) -> None:
    for _ in zip(range(_MANY), run, strict=False):
        pass


def _ended(shop: Shop, run: Run) -> Ended:
    return Ended(_NAMES.get(shop.runs, shop.runs), run.red, tuple(shop.told))
