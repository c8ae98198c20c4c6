"""Behind a controller everybody has its address: whoever takes the component says whose word on addresses counts."""

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from api_gateway.config import GatewaySettings

from workbook.cluster.manifests import Manifests
from workbook.cluster.overlays import CannotRender, rendered

NAMED = """configMapGenerator:
  - name: settings
    behavior: merge
    literals: [TRUSTED_PROXIES=10.244.0.0/16]
"""
Behind = Callable[[str], Manifests]


@pytest.fixture
def behind(folder: Path) -> Behind:
    """An overlay that takes the component, and says `more`."""

    def made(more: str) -> Manifests:
        added = folder / "overlays" / "behind"
        added.mkdir(exist_ok=True)
        (added / "kustomization.yaml").write_text(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
            f"namespace: tickets\nresources: [../prod]\ncomponents: [../../components/gateway-api]\n{more}"
        )
        return Manifests.of(rendered(added))

    return made


def test_the_route_leads_to_a_port_of_a_service(behind: Behind) -> None:
    manifests = behind(NAMED)
    (route,) = manifests.all("HTTPRoute")
    (backend,) = route["spec"]["rules"][0]["backendRefs"]
    service = manifests.one("Service", backend["name"])
    assert backend["port"] in [port["port"] for port in service["spec"]["ports"]]


def test_the_gateway_is_told_the_controllers_network(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", behind(NAMED).settings()["TRUSTED_PROXIES"])
    assert GatewaySettings().trusted_proxies == (ip_network("10.244.0.0/16"),)


def test_without_that_network_there_is_nothing_to_apply(behind: Behind) -> None:
    with pytest.raises(CannotRender, match="TRUSTED_PROXIES"):
        behind("")
