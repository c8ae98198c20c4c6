"""kubectl, as a program: what it prints goes to the terminal, what it answers comes back."""

import shutil
import subprocess

from workbook.cluster.overlays import NAMESPACE


class KubectlFailed(Exception):
    """kubectl ended with another status than 0; it has said why."""


def kubectl(*arguments: str, given: str = "") -> None:
    """Runs it where the person who called sees what it says; `given` is its standard input. Raises KubectlFailed."""
    ended = subprocess.run(["kubectl", *arguments], input=given, text=True, check=False)
    if ended.returncode:
        raise KubectlFailed(f"kubectl {' '.join(arguments)} ended with {ended.returncode}")


def asked(*arguments: str) -> str:
    """What it answers about our namespace; raises KubectlFailed with what it says instead."""
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise KubectlFailed(ended.stderr.strip())
    return ended.stdout


def cluster_there() -> bool:
    """Whether kubectl is installed and knows a cluster that answers within a few seconds.

    Without a configuration kubectl asks port 8080 of this machine, where the gateway may be: so it is asked for what
    no other server would say.
    """
    if shutil.which("kubectl") is None:
        return False
    command = ["kubectl", "--request-timeout=3s", "get", "--raw=/version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode == 0 and "gitVersion" in ended.stdout
