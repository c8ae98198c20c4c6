"""What watches is what phase 4 set up: nothing of it is written again, and every pod is asked."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from phase5 import SERVICES

from workbook.cluster.manifests import Manifests
from workbook.needs import needs
from workbook.phases import ROOT

PHASE4 = ROOT / "phase4-observability"
# What a folder of phase 4 holds is one ConfigMap, and where a pod finds it.
FOLDERS = {
    "grafana-dashboards": "grafana/dashboards",
    "grafana-datasources": "grafana/provisioning/datasources",
    "grafana-providers": "grafana/provisioning/dashboards",
    "alertmanager": "alertmanager",
    "jaeger": "jaeger",
}


@pytest.fixture(scope="module")
def asked(dev: Manifests) -> Any:
    return yaml.safe_load(dev.one("ConfigMap", "prometheus")["data"]["prometheus.yml"])


@pytest.fixture(scope="module")
def containers_ask() -> Any:
    return yaml.safe_load((PHASE4 / "prometheus" / "prometheus.yml").read_text())


@pytest.mark.parametrize(("name", "where"), FOLDERS.items())
def test_files_are_those_of_phase_4_and_none_is_left_out(name: str, where: str, dev: Manifests) -> None:
    files = {path.name: path.read_text() for path in (PHASE4 / where).iterdir() if path.is_file()}
    assert dev.one("ConfigMap", name)["data"] == files


def test_rules_are_those_of_phase_4_and_one_more(dev: Manifests, asked: Any, containers_ask: Any) -> None:
    theirs = dev.one("ConfigMap", "prometheus-rules")["data"]
    assert theirs == {name: (PHASE4 / "prometheus" / name).read_text() for name in containers_ask["rule_files"]}
    assert asked["rule_files"] == [*containers_ask["rule_files"], "absent.yml"]


def test_jobs_have_the_names_that_rules_and_dashboards_know(asked: Any, containers_ask: Any) -> None:
    new = {service.name for service in SERVICES} - jobs(containers_ask)
    assert jobs(asked) == jobs(containers_ask) | new
    assert {key: asked[key] for key in ("global", "alerting")} == {
        key: containers_ask[key] for key in ("global", "alerting")
    }


def test_every_pod_of_each_service_is_asked(dev: Manifests, asked: Any) -> None:
    for service in SERVICES:
        (found,) = (job["dns_sd_configs"][0] for job in asked["scrape_configs"] if job["job_name"] == service.name)
        spec = dev.one("Service", found["names"][0])["spec"]
        assert spec["clusterIP"] == "None"
        assert {"name": "metrics", "port": found["port"], "targetPort": "metrics"} in spec["ports"]
        assert spec["selector"]["app.kubernetes.io/name"] == service.name


def test_somebody_hears_of_each_service_without_a_ready_pod(dev: Manifests) -> None:
    rules = dev.one("ConfigMap", "prometheus")["data"]["absent.yml"]
    assert set(re.findall(r'absent\(up\{job="([a-z-]+)"', rules)) == {service.name for service in SERVICES}


def test_prometheus_takes_all_of_it(dev: Manifests, tmp_path: Path) -> None:
    needs("prometheus-tools")
    files = dev.one("ConfigMap", "prometheus")["data"] | dev.one("ConfigMap", "prometheus-rules")["data"]
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert promtool(tmp_path) == 0
    (tmp_path / "absent.yml").write_text(files["absent.yml"].replace("absent(", "absence("))
    assert promtool(tmp_path) != 0


def promtool(folder: Path) -> int:
    command = ["promtool", "check", "config", "prometheus.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def jobs(settings: Any) -> set[str]:
    return {job["job_name"] for job in settings["scrape_configs"]}
