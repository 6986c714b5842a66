"""The README's table of alerts names every metric of the service, and no metric that is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge

import services.payments
from services.payments import gauges, metrics
from tests.payments.till import Till

README = Path(services.payments.__file__).with_name("README.md")
OF_BUSINESS = (metrics.posted, metrics.held, metrics.owed)
"""They alarm nobody: deploy/dashboards/business.py."""


def declared() -> set[str]:
    found = [
        metric for metric in vars(metrics).values() if isinstance(metric, Gauge | Counter) and metric not in OF_BUSINESS
    ]
    return {metric._name + ("_total" if isinstance(metric, Counter) else "") for metric in found}


@pytest.mark.requirement("observability")
def test_every_metric_has_its_row() -> None:
    table = README.read_text().partition("## Alerts")[2]
    first_cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+_\w+)[{`]", "\n".join(first_cells))) == declared()


@pytest.mark.requirement("observability", "payment-booking-coupling")
async def test_an_open_report_is_a_metric_until_it_ends(till: Till) -> None:
    orphan = await till.bench.charged(booking_id="5f0c2b52-7f7b-4a3e-9a3e-0c6f6f6f6f6f", attempt="1")
    await till.another_round()
    await gauges.look(till.pool)
    assert metrics.reports_open._value.get() == 1
    await till.bench.api.v1.refunds.create_async({"payment_intent": orphan})
    await till.another_round()
    await gauges.look(till.pool)
    assert metrics.reports_open._value.get() == 0
