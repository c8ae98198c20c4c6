"""NetworkPolicies allow exactly the edges of the tables that traces are held against."""

import pytest
from tests.kubernetes.edges import CALLS, Edge, found, nameless, wanted

from workbook.cluster.manifests import ABSENT, Manifests

DOOR = ("api-gateway", "http")
HOME = "spec egress 0 to 0 podSelector matchLabels app.kubernetes.io/name"


def test_what_can_be_reached_is_what_the_tables_say(overlay: Manifests) -> None:
    assert differences(overlay, wanted(overlay)) == set()


def test_each_edge_of_the_tables_is_between_two_that_are_there(dev: Manifests) -> None:
    """Else a name misspelt in a table would allow nothing, and nobody would see it."""
    assert {(one, other) for one, other, _ in wanted(dev)} >= CALLS


def test_everybody_can_ask_for_names(overlay: Manifests) -> None:
    assert nameless(overlay) == []


@pytest.mark.parametrize(
    ("where", "path", "value"),
    [
        ("NetworkPolicy/event-service", "spec ingress 0 from", ABSENT),
        ("NetworkPolicy/event-service", "spec ingress", ABSENT),
        ("NetworkPolicy/event-service", "spec ingress 0 ports", ABSENT),
        ("NetworkPolicy/event-service", "spec egress", [{}]),
        ("NetworkPolicy/metrics-consumer", HOME, "kafka"),
        ("NetworkPolicy/postgres", "spec podSelector matchLabels", {"app.kubernetes.io/name": "database"}),
        ("NetworkPolicy/kafka", "spec ingress 0 from", [{"podSelector": {}}]),
        ("NetworkPolicy/migrations", "spec podSelector matchLabels", {"app.kubernetes.io/component": "none"}),
        ("NetworkPolicy/nothing-else", "spec policyTypes", ["Egress"]),
        ("NetworkPolicy/nothing-else", "spec podSelector", {"matchLabels": {"a": "b"}}),
        ("NetworkPolicy/api-gateway", "spec ingress 0 from", [{"podSelector": {}}]),
    ],
)
def test_a_policy_that_allows_more_or_less_is_noticed(where: str, path: str, value: object, dev: Manifests) -> None:
    assert differences(dev.changed(where, path, value), wanted(dev))


def test_an_edge_without_a_policy_is_noticed(dev: Manifests) -> None:
    more = {*CALLS, ("metrics-consumer", "event-service")}
    assert differences(dev, wanted(dev, more)) == {("metrics-consumer", "event-service", "grpc")}


def test_a_policy_without_an_edge_is_noticed(dev: Manifests) -> None:
    fewer = CALLS - {("booking-service", "kafka")}
    assert differences(dev, wanted(dev, fewer)) == {("booking-service", "kafka", "kafka")}


def test_who_may_not_ask_for_names_is_noticed(dev: Manifests) -> None:
    mute = dev.changed("NetworkPolicy/names", "spec egress 0 ports 0 protocol", "SCTP")
    assert len(nameless(mute)) == len(dev.workloads())


def differences(manifests: Manifests, edges: set[Edge]) -> set[Edge]:
    """What one side allows or refuses otherwise than it should: both must agree, each alone.

    The gateway lets everybody in; that nobody inside goes there is the other side's business.
    """
    inside = {edge for edge in edges if edge[0] != "outside"}
    enters = {edge for edge in found(manifests, "Ingress") if edge[1:] != DOOR or edge in edges}
    return (found(manifests, "Egress") ^ inside) | (enters ^ edges)
