"""This workbook's own workflows with a mistake in them; and the words that the board must say."""

from collections.abc import Mapping, Sequence

SIMPLE = """\
name: All
on:
  push: {branches: [main]}
  pull_request:
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: go test ./...
  build:
    needs: test
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with: {push: true, tags: "shop/booking-service:${{ github.sha }}"}
  deploy:
    needs: [build]
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps:
      - run: kubectl set image deployment/booking-service booking="shop/booking-service:$GITHUB_SHA"
"""
"""What somebody has who follows the roadmap and no more: one workflow, with actions as their pages name them."""

HASTY = """\
name: Fast
on: {push: {tags: ["fast*"]}}
permissions: {}
jobs:
  fast:
    runs-on: ubuntu-latest
    steps:
      - run: docker build --tag shop/x:$GITHUB_SHA . && docker push shop/x:$GITHUB_SHA
      - run: kubectl apply --filename k8s
"""
TARGET = """\
name: Greet
on: pull_request_target
permissions: {}
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {ref: "${{ github.event.pull_request.head.sha }}"}
"""
CI, RELEASE, ROLLBACK, KIND = "ci.yml", "release.yml", "rollback.yml", "kubernetes.yml"
Edit = tuple[str, str, str]
"""In this file, this becomes that, wherever it stands; a file that is not there is made of the last."""

WRONG: Mapping[str, tuple[Sequence[Edit], list[str]]] = {
    "tests no pull requests": ([(CI, "  pull_request:\n", "")], ["no job runs tests at pull_request"]),
    "tests nothing": (
        [(CI, "- run: .ci/run", "- run: .ci/run || true"), (CI, "- run: ./learn test", "- run: ./learn test || true")],
        ["no job runs tests at push", "no job runs tests at pull_request"],
    ),
    "keeps its images": ([(RELEASE, "--push", "--load")], ["images are built, and no job pushes them"]),
    "builds nothing": (
        [(RELEASE, "docker buildx bake", "true"), (KIND, "docker buildx bake", "true")],
        ["no job builds an image"],
    ),
    "names no version": (
        [("all.yml", "", SIMPLE.replace("${{ github.sha }}", "latest").replace("$GITHUB_SHA", "latest"))],
        ["all.yml, job build names no version"],
    ),
    "deploys nothing": ([(RELEASE, "cluster deploy", "cluster show")], ["no job deploys to Kubernetes"]),
    "deploys first": ([(RELEASE, "    needs: images\n", "")], ["waits for no job that pushes an image"]),
    "deploys for strangers": ([(RELEASE, "on:\n", "on:\n  pull_request:\n")], ["deploys at pull_request"]),
    "runs strangers' code": ([("greet.yml", "", TARGET)], ["runs a stranger's code with your secrets"]),
    "runs strangers' words": (
        [(CI, "run: .ci/run", "run: .ci/run ${{ github.event.pull_request.title }}")],
        ["which a stranger writes"],
    ),
    "prints its secrets": (
        [(RELEASE, "          umask 077\n", '          umask 077\n          echo "$CLUSTER"\n')],
        ["prints CLUSTER"],
    ),
    "writes its secrets into commands": (
        [(ROLLBACK, '"$CLUSTER"', '"${{ secrets.KUBECONFIG }}"')],
        ["writes secrets.KUBECONFIG into a command"],
    ),
    "shows all commands": ([(ROLLBACK, "umask 077", "set -eux")], ["prints CLUSTER"]),
    "takes any action": (
        [(CI, "checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "checkout@v7")],
        ["uses actions/checkout@v7"],
    ),
    "may all": ([(CI, "    permissions:\n      contents: read\n", "    permissions: write-all\n")], ["may write-all"]),
    "may what it may": (
        [(CI, "permissions: {}\n", ""), (CI, "    permissions:\n      contents: read\n", "")],
        ["may what the repository's settings say"],
    ),
    "lets all write": ([(RELEASE, "permissions: {}", "permissions: {packages: write}")], ["lets all of its jobs"]),
    "does not wait": ([("fast.yml", "", HASTY)], ["fast.yml, job fast does not wait for the new version"]),
    "never goes back": (
        [(ROLLBACK, "workflow_dispatch", "push"), (RELEASE, "failure()", "always()")],
        ["goes back, and neither after a failure nor by hand"],
    ),
    "is no YAML": ([(CI, "on:\n", "on: [\n")], ["ci.yml is no YAML"]),
}
