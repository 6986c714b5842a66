"""`python -m services.operations.diagram [--check]`: draws the state table of bookings into ARCHITECTURE.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from services.booking.model.states import INITIAL, OCCUPYING, TRANSITIONS, State

PAGE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
BETWEEN = re.compile(r"(<!-- states -->\n).*?(<!-- end of states -->)", re.DOTALL)


def drawing() -> str:
    """A Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state}" for state in State if state in INITIAL]
    for state in State:
        lines += [f"    {state} --> {following}" for following in State if following in TRANSITIONS.get(state, ())]
    lines += [f"    {state} --> [*]" for state in State if state not in TRANSITIONS]
    free = ", ".join(state for state in State if state not in OCCUPYING)
    return "\n".join([*lines, "```", f"Seats are free in {free}.", ""])


def main() -> int:
    """Write the diagram, or with --check say whether it is up to date."""
    text = PAGE.read_text()
    drawn = BETWEEN.sub(lambda found: found[1] + drawing() + found[2], text)
    if "--check" in sys.argv:
        return 0 if drawn == text else 1
    PAGE.write_text(drawn)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
