"""What people write first for task 5.10, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
_RIGHT = f"""\
WORKFLOW = \"\"\"
on: {{push: {{tags: ["v*"]}}}}
permissions: {{}}
concurrency: {{group: production, cancel-in-progress: false}}
jobs:
  images:
    runs-on: ubuntu-latest
    permissions: {{contents: read, packages: write}}
    outputs:
      digest: ${{{{ steps.build.outputs.digest }}}}
    steps:
      - uses: {_CHECKOUT}
      - id: build
        run: ci/build ${{{{ github.ref_name }}}}
  deploy:
    needs: images
    runs-on: ubuntu-latest
    permissions: {{contents: read}}
    env:
      IMAGE: ${{{{ needs.images.outputs.digest }}}}
    steps:
      - uses: {_CHECKOUT}
      - run: ci/migrate "$IMAGE"
      - run: ci/deploy "$IMAGE"
      - id: smoke
        run: ci/smoke
      - if: failure() && steps.smoke.conclusion == 'failure'
        run: ci/undo
\"\"\"
"""
_ALONE = "concurrency: {group: production, cancel-in-progress: false}"
_MIGRATE, _DEPLOY = '      - run: ci/migrate "$IMAGE"\n', '      - run: ci/deploy "$IMAGE"\n'
_SMOKE = "      - id: smoke\n        run: ci/smoke\n"
_UNDO = "      - if: failure() && steps.smoke.conclusion == 'failure'\n        run: ci/undo\n"
_IF = "failure() && steps.smoke.conclusion == 'failure'"
_DIGEST, _TAG = "${{ needs.images.outputs.digest }}", "${{ github.ref_name }}"


def _but(right: str, wrong: str) -> str:
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("all it may", code=_but("\npermissions: {}", "\npermissions: write-all"), says="may write contents"),
    WrongAnswer("nothing is said of permissions", code=_but("\npermissions: {}", ""), says="may write contents"),
    WrongAnswer(
        "the job that deploys may push",
        code=_but("    permissions: {contents: read}\n", "    permissions: {contents: read, packages: write}\n"),
        says="job deploy may write packages",
    ),
    WrongAnswer("the job that builds may not push", code=_but(", packages: write", ""), says="packages: write"),
    WrongAnswer("an action at a tag", code=_but(_CHECKOUT, "actions/checkout@v7"), says="can be moved"),
    WrongAnswer("nobody waits for the image", code=_but("    needs: images\n", ""), says="got no image"),
    WrongAnswer(
        "nobody waits, and a tag",
        code=_but("    needs: images\n", "").replace(_DIGEST, _TAG),
        says="starts at the same time",
    ),
    WrongAnswer(
        "the digest does not leave its job",
        code=_but("    outputs:\n      digest: ${{ steps.build.outputs.digest }}\n", ""),
        says="got no image",
    ),
    WrongAnswer("by its tag", code=_but(_DIGEST, _TAG), says="another build of version 2 runs"),
    WrongAnswer(
        "built again where it is deployed",
        code=_but(_MIGRATE, "      - run: ci/build ${{ github.ref_name }}\n" + _MIGRATE).replace(
            "{contents: read}", "{contents: read, packages: write}"
        ),
        says="built once",
    ),
    WrongAnswer("migrates afterwards", code=_but(_MIGRATE + _DEPLOY, _DEPLOY + _MIGRATE), says="migrate first"),
    WrongAnswer("nobody tries it", code=_but(_SMOKE, ""), says="Nobody tried"),
    WrongAnswer("tries what was there", code=_but(_DEPLOY + _SMOKE, _SMOKE + _DEPLOY), says="Nobody tried"),
    WrongAnswer("nobody goes back", code=_but(_UNDO, ""), says="the smoke test fails: version 2 runs"),
    WrongAnswer(
        "goes back without an if", code=_but(f"      - if: {_IF}\n        run", "      - run"), says="taken back, too"
    ),
    WrongAnswer("goes back always", code=_but(_IF, "always()"), says="taken back, too"),
    WrongAnswer("goes back whatever failed", code=_but(_IF, "failure()"), says="the migration fails: version 0 runs"),
    WrongAnswer(
        "goes back on a condition that never holds",
        code=_but(_IF, "steps.smoke.conclusion == 'failure'"),
        says="the smoke test fails: version 2 runs",
    ),
    WrongAnswer(
        "a smoke test that may fail",
        code=_but("run: ci/smoke\n", "run: ci/smoke\n        continue-on-error: true\n"),
        says="the smoke test fails: version 2 runs",
    ),
    WrongAnswer(
        "goes back in the same line, and all is green",
        code=_but("run: ci/smoke\n", "run: ci/smoke || ci/undo\n").replace(_UNDO, ""),
        says="the run is green",
    ),
    WrongAnswer("two at a time", code=_but(_ALONE + "\n", ""), says="One at a time"),
    WrongAnswer("each tag is a group of its own", code=_but("production", "'${{ github.ref }}'"), says="One at a time"),
    WrongAnswer("the newer one cuts off", code=_but("in-progress: false", "in-progress: true"), says="cut off in the"),
    WrongAnswer("no YAML", code=_but("jobs:", "jobs: ["), says="no YAML"),
)
