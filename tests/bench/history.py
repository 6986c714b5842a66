"""`--keep`: history.jsonl in docs/performance has a line for each run that was worth it, history.svg shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.layout import REPOSITORY
from tests.bench.drawing import drawn

FOLDER = REPOSITORY / "docs" / "performance"
DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def keep(figures: Mapping[str, object], folder: Path = FOLDER, arguments: Sequence[str] | None = None) -> None:
    """Add a line with date, commit and figures, the machine's speed among them; draw all anew."""
    described = subprocess.run(DESCRIBE, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    commit, now = described.stdout.strip(), datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "history.jsonl").open("a") as file:
        file.write(line(figures, commit, now, sys.argv[1:] if arguments is None else arguments) + "\n")
    (folder / "history.svg").write_text(drawn(read(folder / "history.jsonl")))


def line(figures: Mapping[str, object], commit: str, at: datetime, arguments: Sequence[str]) -> str:
    """One run; a commit that ends in -dirty had changes that were not committed."""
    run = {"date": f"{at:%Y-%m-%dT%H:%M:%SZ}", "commit": commit, "arguments": list(arguments), "figures": figures}
    return json.dumps(run)


def read(file: Path) -> list[dict[str, Any]]:
    """Every run, oldest first."""
    return [json.loads(text) for text in file.read_text().splitlines()]


if __name__ == "__main__":
    (FOLDER / "history.svg").write_text(drawn(read(FOLDER / "history.jsonl")))
