"""Writes the dashboards; `--check` only says which files are not what the description makes, and ends 1."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from deploy.dashboards.business import BUSINESS
from deploy.dashboards.on_call import ON_CALL
from deploy.dashboards.services import BOOKING, NOTIFICATIONS, PAYMENTS

FOLDER = Path(__file__).parent
ALL = {
    "on-call": ON_CALL,
    "booking": BOOKING,
    "payments": PAYMENTS,
    "notifications": NOTIFICATIONS,
    "business": BUSINESS,
}
"""By file name."""


def documents() -> dict[Path, str]:
    """Every dashboard's text, by its file."""
    return {
        FOLDER / f"{name}.json": json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"
        for name, board in ALL.items()
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    wanted = documents()
    if parser.parse_args(arguments).check:
        old = [file.name for file, text in wanted.items() if not file.exists() or file.read_text() != text]
        print(f"not as described: {', '.join(old)}; python -m deploy.dashboards writes them" if old else "as described")
        return 1 if old else 0
    for file, text in wanted.items():
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
