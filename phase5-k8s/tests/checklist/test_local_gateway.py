"""Checklist 5 on the local stack: real processes behind the real gateway, and this repository's own folders."""

import pytest

from workbook.checklist import run
from workbook.checks.report import Outcome
from workbook.needs import needs


@pytest.mark.timeout(400)
def test_the_real_gateway_passes_on_the_local_stack() -> None:
    needs("kubectl")
    report = run(5, "local", deadline=20)
    assert not report.problem
    left = [check for check in report.checks if check.outcome is not Outcome.PASSED]
    assert {check.said for check in left} == {"needs a cluster: --target kubernetes"}, [(c.title, c.said) for c in left]
    assert [box.name[:3] for box in report.boxes] == ["5.1", "5.2", "5.3"]
    assert report.status == 0
