"""`python -m tests.cluster.page`: writes the figures of the last `make cluster-test` into docs/operate/proof.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cluster import scenarios as of

REPOSITORY = Path(__file__).resolve().parents[2]
FIGURES = REPOSITORY / "build" / "cluster.json"
PAGE = REPOSITORY / "docs" / "operate" / "proof.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"
Told = Mapping[str, Any]

COLUMNS: dict[str, Callable[[Told], str]] = {
    "what": lambda one: one["name"],
    "took": lambda one: f"{one['seconds']:.0f} s",
    "commands": lambda one: str(one["commands"]),
    "in 1 s": lambda one: f"{100 * one['in_a_second']:.1f} %",
    "answered after: median, 99 of 100, slowest": lambda one: (
        f"{one['median']:.2f}, {one['slow']:.2f}, {one['slowest']:.2f} s"
    ),
    "longest silence": lambda one: f"{one['silence']:.1f} s",
    "reads, failed": lambda one: f"{one['reads']}, {len(one['reads failed'])}",
    "pods made": lambda one: str(one["pods made"]),
    "fewest ready": lambda one: ", ".join(str(number) for number in one["fewest ready"].values()),
}
NOTES: dict[str, Callable[[Told], str]] = {
    of.UPGRADE: lambda notes: (
        f"the migration Job took {notes['migrated in']:.1f} s, in which the older pods gave"
        f" {notes['answers meanwhile']} answers; the first new pod came {notes['first new pod after']:.1f} s after it"
    ),
    of.DRAIN: lambda notes: (
        f"the node was empty after {notes['drained after']:.1f} s; with one pod of each left,"
        f" {sum(map(bool, notes['refused'].values()))} of {len(notes['refused'])} more evictions were refused;"
        f" everything was ready {notes['whole after']:.1f} s after the other node took pods"
    ),
    of.SCALE: lambda notes: f"ready after {_listed(notes['ready after'])}",
    of.KILL: lambda notes: f"{len(notes['killed'])} pods, ready again after {notes['whole after']:.1f} s",
    of.POSTGRES: lambda notes: f"away for {notes['away']:.1f} s",
    of.ROTATION: lambda notes: (
        "used by every pod after "
        + ", ".join(f"{seconds:.1f} s ({name})" for name, seconds in notes["used after"].items())
    ),
    of.KAFKA: lambda notes: f"away for {notes['away']:.0f} s",
}


def figures(told: Told) -> str:
    """The page's part between its marks."""
    rows = [" | ".join(show(one) for show in COLUMNS.values()) for one in told["scenarios"]]
    table = [" | ".join(COLUMNS), " | ".join(["---"] * len(COLUMNS)), *rows]
    notes = [
        f"- {one['name']}: {NOTES[one['name']](one['notes'])}." for one in told["scenarios"] if one["name"] in NOTES
    ]
    return "\n".join(
        [
            f"{told['commands']} commands, {told['per second']:.0f} a second, on {told['cores']} cores; seed"
            f" {told['seed']}. At the end Stripe held {told['cents at Stripe'] / 100:.2f} EUR and the ledger said"
            f" {told['cents of the ledger'] / 100:.2f}. Restarts by a probe: {len(told['restarted by a probe'])}.",
            "",
            *(f"| {row} |" for row in table),
            "",
            *notes,
            "",
        ]
    )


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in seconds) + " s"


def main() -> int:
    """The exit code."""
    if not FIGURES.exists():
        print(f"{FIGURES} is not there: make cluster-test writes it", file=sys.stderr)
        return 1
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{PAGE} lacks {BEGIN}"
    assert end, f"{PAGE} lacks {END}"
    PAGE.write_text(before + begin + figures(json.loads(FIGURES.read_text())) + end + after)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
