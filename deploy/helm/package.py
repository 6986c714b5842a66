"""`python -m deploy.helm.package`: the chart with alerts and dashboards in it, as an archive in dist/."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.helm.tools import CHART, REPOSITORY, tool

BROUGHT = {"alerts": "*.yaml", "dashboards": "*.json"}
"""Folders beside the chart that Helm cannot reach, and what of them goes into its files/."""


def assemble(into: Path, beside: Path = CHART.parent) -> Path:
    """A copy of the chart with everything in it."""
    chart = shutil.copytree(CHART, into / "booking-system", ignore=shutil.ignore_patterns("ci"))
    for folder, pattern in BROUGHT.items():
        (chart / "files" / folder).mkdir(exist_ok=True)
        for file in sorted((beside / folder).glob(pattern)):
            shutil.copyfile(file, chart / "files" / folder / file.name)
    return chart


def main() -> None:
    """Raises NoTools, and subprocess.CalledProcessError with what Helm says."""
    with tempfile.TemporaryDirectory() as folder:
        chart = assemble(Path(folder))
        subprocess.run([tool("helm4"), "package", chart, "--destination", REPOSITORY / "dist"], check=True)


if __name__ == "__main__":
    main()
