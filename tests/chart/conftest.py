"""The chart's tools, only where `make chart-test` asks for them: what needs none is tested with everything else."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from deploy.helm.tools import NoTools, tool
from tests.chart.rendered import MAJORS, SETS, Rendered, render

collect_ignore_glob = [] if os.environ.get("CHART") else ["test_[!m]*.py"]
"""All but test_made.py need Helm: where it is not asked for, one sentence says so and not a hundred."""

Rendering = Callable[[str], Rendered]


@pytest.fixture(scope="session")
def tools() -> None:
    """Helm and what checks the chart are installed."""
    if not os.environ.get("CHART"):
        pytest.skip("the chart is rendered by `make chart-test`, which installs Helm")
    try:
        for name in (*MAJORS, "kubernetes-validate", "checkov", "yamllint", "hadolint"):
            tool(name)
    except NoTools as problem:
        pytest.skip(f"the chart is not tested: {problem}")


@pytest.fixture(scope="session")
def rendering(tools: None) -> Rendering:
    """Each value set as Helm 4 renders it, once."""
    known: dict[str, Rendered] = {}
    return lambda name: known.setdefault(name, render(name)) if name not in known else known[name]


@pytest.fixture(params=SETS)
def each(request: pytest.FixtureRequest, rendering: Rendering) -> Rendered:
    """Every value set in turn."""
    return rendering(request.param)
