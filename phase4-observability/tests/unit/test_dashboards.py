"""The dashboards as files: whole, and in agreement with metrics, rules and alerts."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from telemetry.requests import OBJECTIVE
from tests.dashboard_problems import limits, problems
from tests.dashboards import Dashboards, dashboards, questions, selectors


def panel(boards: Dashboards, title: str) -> dict[str, Any]:
    panels: list[dict[str, Any]] = [each for board in boards.values() for each in board["panels"]]
    (found,) = (each for each in panels if each["title"] == title)
    return found


def test_the_four_dashboards_are_as_they_should_be() -> None:
    assert sorted(dashboards()) == ["bookings", "messages", "overview", "service"]
    assert problems(dashboards()) == []


def test_durations_show_the_objective_and_dots_that_are_traces() -> None:
    asked = [question for board in dashboards().values() for question in questions(board) if question.exemplar]
    assert [question.where for question in asked] == ["2 One service: How long requests take"]
    steps = panel(dashboards(), "How long requests take")["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[-1]["value"] == OBJECTIVE


# The controls


def _of_another_name(boards: Dashboards) -> None:
    boards["service"]["uid"] = "tickets-overview"


def _of_an_old_schema(boards: Dashboards) -> None:
    boards["service"]["schemaVersion"] = 16


def _linked_by_nobody(boards: Dashboards) -> None:
    boards["messages"]["tags"] = []


def _without_links(boards: Dashboards) -> None:
    boards["messages"]["links"] = []


def _without_words(boards: Dashboards) -> None:
    boards["messages"]["description"] = ""


def _twice_the_same_id(boards: Dashboards) -> None:
    panel(boards, "CPU")["id"] = 1


def _without_title(boards: Dashboards) -> None:
    panel(boards, "CPU")["title"] = ""


def _without_description(boards: Dashboards) -> None:
    del panel(boards, "CPU")["description"]


def _without_unit(boards: Dashboards) -> None:
    del panel(boards, "CPU")["fieldConfig"]["defaults"]["unit"]


def _of_an_unknown_source(boards: Dashboards) -> None:
    panel(boards, "CPU")["datasource"] = {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}


def _falling(boards: Dashboards) -> None:
    panel(boards, "Relays that lead")["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse()


def _over_another(boards: Dashboards) -> None:
    panel(boards, "CPU")["gridPos"]["x"] = 11


def _out_of_the_picture(boards: Dashboards) -> None:
    panel(boards, "CPU")["gridPos"]["x"] = 13


def _without_variable(boards: Dashboards) -> None:
    boards["service"]["templating"]["list"] = []


def _with_an_idle_variable(boards: Dashboards) -> None:
    boards["messages"]["templating"]["list"] = boards["service"]["templating"]["list"]


def _misspelt(boards: Dashboards) -> None:
    panel(boards, "Services away")["targets"][0]["expr"] = "count(ups == 0) or vector(0)"


def _of_a_label_that_is_none(boards: Dashboards) -> None:
    panel(boards, "Bookings by status")["targets"][0]["expr"] = 'max(bookings_by_status{state="pending"})'


def _misspelt_where_alerts_are_marked(boards: Dashboards) -> None:
    boards["overview"]["annotations"]["list"][0]["target"]["expr"] = "ALARMS"


def _leading_nowhere(boards: Dashboards) -> None:
    boards["service"]["uid"] = "service"


def _leading_to_a_variable_that_is_none(boards: Dashboards) -> None:
    panel(boards, "Requests, all services")["fieldConfig"]["defaults"]["links"][0]["url"] = (
        "/d/tickets-service?var-job=x"
    )


def _of_an_alert_that_is_none(boards: Dashboards) -> None:
    panel(boards, "CPU")["description"] = "Alert: TooHot."


def _with_a_limit_of_its_own(boards: Dashboards) -> None:
    panel(boards, "Messages not counted yet")["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = 500


def _with_another_budget(boards: Dashboards) -> None:
    for target in panel(boards, "How fast the budget of faults burns")["targets"]:
        target["expr"] = target["expr"].replace("0.005", "0.05")


CONTROLS: dict[Callable[[Dashboards], None], str] = {
    _of_another_name: "service: its uid is not that of its file",
    _of_an_old_schema: "service: schemaVersion is not 42, Grafana 13's",
    _linked_by_nobody: "messages: no other dashboard links to it: the tag is missing",
    _without_links: "messages: it links to no other dashboard",
    _without_words: "messages: it has no title, or no description",
    _twice_the_same_id: "service: 2 panels have the id 1",
    _without_title: "service: panel 8 has no title",
    _without_description: "service: panel 'CPU' has no description",
    _without_unit: "service: panel 'CPU' has no unit",
    _of_an_unknown_source: "service: panel 'CPU' asks a data source that nobody provisions",
    _falling: "messages: panel 'Relays that lead' has thresholds that do not begin at the bottom, or do not rise",
    _over_another: "service: panels 'Calls to other services' and 'CPU' lie on each other",
    _out_of_the_picture: "service: panel 'CPU' is too wide",
    _without_variable: "service: there is no variable $service",
    _with_an_idle_variable: "messages: nobody uses the variable $service",
    _misspelt: "overview: 1 System overview: Services away asks for ups, which nobody shows",
    _of_a_label_that_is_none: (
        "bookings: 3 Bookings: Bookings by status asks bookings_by_status for a label state, which it does not have"
    ),
    _misspelt_where_alerts_are_marked: "overview: 1 System overview: Alerts asks for ALARMS, which nobody shows",
    _leading_nowhere: "overview: a link leads to tickets-service with ['service'], which is not there",
    _leading_to_a_variable_that_is_none: "overview: a link leads to tickets-service with ['job'], which is not there",
    _of_an_alert_that_is_none: "there is no alert TooHot",
    _with_a_limit_of_its_own: "no panel of consumer_lag_messages shows the limit of ConsumerLag, 1000",
    _with_another_budget: "no panel of job:grpc_faults:ratio_rate3d shows the limit of FaultsBurnSlow, 0.005",
}


@pytest.mark.parametrize("spoil", CONTROLS)
def test_what_is_wrong_with_a_dashboard_is_seen(spoil: Callable[[Dashboards], None]) -> None:
    spoilt = copy.deepcopy(dashboards())
    spoil(spoilt)
    assert CONTROLS[spoil] in problems(spoilt)


def test_the_parts_of_an_expression_are_told_apart() -> None:
    assert selectors(
        'label_replace(sum by (a) (rate(b_total{c=~"d[.](e)", f!="g"}[5m])) / job:h:rate5m, "h", "$1", "i", "(j)") > 0'
        " or vector(0)"
    ) == {
        'b_total{c=~"d[.](e)", f!="g"}': "b_total",
        "job:h:rate5m": "job:h:rate5m",
    }
    assert selectors('(a_total{b="c"} unless a_total{b="c"} offset 15m) or rate(a_total[5m])') == {
        'a_total{b="c"}': "a_total",
        "a_total": "a_total",
    }
    assert [*limits("a:b > 6 * 0.005 and c > 1 unless d:e < 50")] == [("a:b", 0.03), ("c", 1)]
    assert [*limits('absent(a{b="c"})')] == []
