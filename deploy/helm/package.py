"""`python -m deploy.helm.package`: the chart with alerts and dashboards in it, as an archive in dist/.

CHART_SIGNING_KEY and CHART_SIGNING_KEYRING sign it: the owner's key, which is nowhere in the project.
"""

from __future__ import annotations

import os
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


def package(destination: Path, key: str | None = None, keyring: str | None = None) -> None:
    """With a `key`, the name of one of that keyring, a signature lies beside it, for `helm verify` and `--verify`.

    Raises NoTools, and subprocess.CalledProcessError with what Helm says.
    """
    signed = ("--sign", "--key", key, "--keyring", keyring) if key and keyring else ()
    with tempfile.TemporaryDirectory() as folder:
        chart = assemble(Path(folder))
        subprocess.run([tool("helm4"), "package", chart, "--destination", destination, *signed], check=True)


if __name__ == "__main__":
    package(REPOSITORY / "dist", os.environ.get("CHART_SIGNING_KEY"), os.environ.get("CHART_SIGNING_KEYRING"))
