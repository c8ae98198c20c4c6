"""What Grafana is told at its start: whom to ask, where traces are, where its dashboards stand."""

from typing import Any

import yaml
from tests.dashboard_problems import known_labels
from tests.dashboards import GRAFANA, PHASE, expanded, selectors, sources

PROVISIONING = GRAFANA / "provisioning"


def prometheus_settings() -> Any:
    return yaml.safe_load((PHASE / "prometheus" / "prometheus.yml").read_text())


def test_grafana_asks_those_whom_the_other_settings_name() -> None:
    assert {uid: source["type"] for uid, source in sources().items()} == {
        "prometheus": "prometheus",
        "jaeger": "jaeger",
        "alertmanager": "alertmanager",
    }
    (alertmanager,) = prometheus_settings()["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert sources()["alertmanager"]["url"] == f"http://{alertmanager}"
    assert [uid for uid, source in sources().items() if source.get("isDefault")] == ["prometheus"]


def test_a_rate_in_grafana_knows_how_often_figures_are_taken() -> None:
    assert sources()["prometheus"]["jsonData"]["timeInterval"] == prometheus_settings()["global"]["scrape_interval"]


def test_exemplars_lead_to_traces_and_spans_to_figures() -> None:
    destinations = sources()["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert [(each["name"], each.get("datasourceUid"), each.get("url")) for each in destinations] == [
        ("trace_id", None, "http://127.0.0.1:16686/trace/${__value.raw}"),
        ("trace_id", "jaeger", None),
    ]
    back = sources()["jaeger"]["jsonData"]["tracesToMetrics"]
    assert back["datasourceUid"] in sources()
    assert all("{$__tags}" in each["query"] for each in back["queries"])
    assert {name for each in back["queries"] for name in selectors(each["query"]).values()} <= set(known_labels())


def test_a_dollar_that_grafana_would_take_for_a_variable_is_seen() -> None:
    text = (PROVISIONING / "datasources" / "all.yml").read_text()
    assert expanded(text).count("${__value.raw}") == 1
    assert "{}" in expanded(text.replace("$$", "$"))


def test_its_container_gives_it_what_it_reads() -> None:
    grafana = yaml.safe_load((PHASE / "compose.yaml").read_text())["services"]["grafana"]
    provider, _ = yaml.safe_load((PROVISIONING / "dashboards" / "all.yml").read_text())["providers"]
    folder = provider["options"]["path"]
    assert {f"./grafana/dashboards:{folder}:ro", "./grafana/provisioning:/etc/grafana/provisioning:ro"} <= set(
        grafana["volumes"]
    )
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/overview.json"
    assert grafana["environment"]["JAEGER_PORT"] == "${JAEGER_PORT:-16686}"
    assert provider["allowUiUpdates"] is False
