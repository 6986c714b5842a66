"""`python -m services.operations.drawn_pages [--check]`: draws states, outcomes and letters into their pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from services.booking.model import expected_outcomes as outcomes
from services.booking.model.states import CANCELLED, DEAD, INITIAL, OCCUPYING, TRANSITIONS, State
from services.operations import told
from services.payments.model import payment

ROOT = Path(__file__).resolve().parents[2]

GROUPS = (
    ("any state", frozenset(State)),
    ("ended without a session", DEAD),
    ("CANCELLED_BY_*", CANCELLED),
    ("RESOLVED_*", frozenset({State.RESOLVED_REFUNDED, State.RESOLVED_RELEASED, State.RESOLVED_SPLIT})),
    ("PENDING_*", INITIAL),
)
"""Names of states that share an outcome, the widest first."""


def drawing() -> str:
    """A Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state}" for state in State if state in INITIAL]
    for state in State:
        lines += [f"    {state} --> {following}" for following in State if following in TRANSITIONS.get(state, ())]
    lines += [f"    {state} --> [*]" for state in State if state not in TRANSITIONS]
    free = ", ".join(state for state in State if state not in OCCUPYING)
    return "\n".join([*lines, "```", f"Seats are free in {free}.", ""])


def outcomes_table() -> str:
    """A Markdown table: what every message does in every state; the outcome of most states comes last."""
    lines = ["| message | outcomes |", "|---|---|"]
    every = {**outcomes.COMMANDS, **outcomes.EVENTS}
    for suffix, rows in (("", every), (", another attempt", outcomes.OF_ANOTHER_ATTEMPT)):
        lines += [f"| {name}{suffix} | {_row(row)} |" for name, row in rows.items()]
    steps = ", ".join(f"{before} → {after}" for before, after in outcomes.BY_TIME.items())
    return "\n".join([*lines, "", f"Time alone: {steps}.", ""])


def _row(row: outcomes.Row) -> str:
    by_cell: dict[str, set[State]] = {}
    for state in State:
        by_cell.setdefault(_cell(row[state]), set()).add(state)
    *some, (most, _) = sorted(by_cell.items(), key=lambda item: len(item[1]))
    where = "any state" if not some else "else"
    return "; ".join([*(f"{_states(states)}: {cell}" for cell, states in some), f"{where}: {most}"])


def _cell(cell: outcomes.Cell) -> str:
    if not isinstance(cell, Mapping):
        return _outcome(cell)
    by_outcome: dict[str, list[str]] = {}
    for case, outcome in cell.items():
        by_outcome.setdefault(_outcome(outcome), []).append(case)
    return ", ".join(f"{outcome} ({', '.join(cases)})" for outcome, cases in by_outcome.items())


def _outcome(outcome: outcomes.Outcome) -> str:
    match outcome:
        case outcomes.Advance(to):
            return f"→ **{to}**"
        case outcomes.Reject(code):
            return f"rejected, {code}"
        case outcomes.Stay(what) | outcomes.GiveBack(what):
            return what
        case outcomes.Ignore():
            return "ignored"


def _states(states: set[State]) -> str:
    found: list[str] = []
    for name, group in GROUPS:
        if group <= states:
            found.append(name)
            states = states - group
    return ", ".join([*found, *(state for state in State if state in states)])


def payment_drawing() -> str:
    """A Mermaid state diagram of a payment's newest attempt; each arrow says why."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {status}: {why}" for status, why in payment.INITIAL.items()]
    for before, following in payment.TRANSITIONS.items():
        lines += [f"    {before} --> {after}: {why}" for after, why in following.items()]
    return "\n".join([*lines, "```", ""])


PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    ROOT / "ARCHITECTURE.md": {"states": drawing, "outcomes": outcomes_table},
    ROOT / "services" / "payments" / "README.md": {"states": payment_drawing},
    ROOT / "docs" / "notifications.md": {"told": told.table},
}
"""What stands between `<!-- name -->` and `<!-- end of name -->` of a page."""


def redrawn(page: Path, text: str) -> str:
    """The page's text with every table as the code has it; raises ValueError where one has no place."""
    for name, draw in PAGES[page].items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not between.search(text):
            raise ValueError(f"the page has no place for {name}: <!-- {name} --> … <!-- end of {name} -->")
        drawn = draw()
        text = between.sub(lambda found, drawn=drawn: found[1] + drawn + found[2], text)  # type: ignore[misc]
    return text


def main() -> int:
    """Write the tables, or with --check say whether they are up to date."""
    texts = {page: page.read_text() for page in PAGES}
    drawn = {page: redrawn(page, text) for page, text in texts.items()}
    if "--check" in sys.argv:
        return 0 if drawn == texts else 1
    for page, text in drawn.items():
        page.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
