"""Checklist 3 on the local stack: real processes, killed and paused, over whichever broker is here."""

import pytest

from workbook.checklist import run
from workbook.checks.report import Outcome


@pytest.mark.timeout(300)  # over librdkafka's broker a killed consumer's successor waits about 50 s
def test_the_real_services_pass_on_the_local_stack() -> None:
    report = run(3, "local")
    assert not report.problem
    assert {(check.title, check.said) for check in report.checks if check.outcome is not Outcome.PASSED} == set()
    assert [box.name[:3] for box in report.boxes] == ["3.1", "3.2", "3.3"]
    assert report.status == 0
