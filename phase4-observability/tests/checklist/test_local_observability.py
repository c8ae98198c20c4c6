"""Checklist 4 on the local stack: real processes, the real Prometheus, the workbook's receiver of traces."""

import pytest

from workbook.checklist import run
from workbook.checks.report import Outcome
from workbook.needs import needs


@pytest.mark.timeout(200)
def test_the_real_services_pass_on_the_local_stack() -> None:
    needs("prometheus")
    report = run(4, "local")
    assert not report.problem
    left = [check for check in report.checks if check.outcome is not Outcome.PASSED]
    no_grafana = {"needs the address of grafana: --target grafana=HOST:PORT,…"}  # there is none without Docker
    assert {check.said for check in left} == no_grafana, [(check.title, check.said) for check in left]
    assert [box.name[:3] for box in report.boxes] == ["4.1", "4.2", "4.3"]
    assert report.status == 0
