"""One saga across the services, drawn from the messages that flowed: in the terminal and as an SVG file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from uuid import UUID

from booking_contracts.client.inbox import Received
from rich.console import Console
from rich.table import Table

LANES = ("customer", "booking", "payments", "notifications")
SENDER = {
    "booking.replies": "booking",
    "booking.events": "booking",
    "payments.commands": "booking",
    "payments.events": "payments",
    "notifications.events": "notifications",
}
HEARER = {
    "booking.replies": "customer",
    "booking.events": "notifications",
    "payments.commands": "payments",
    "payments.events": "booking",
    "notifications.events": "customer",
}
COLOURS = {"customer": "#64748b", "booking": "#0369a1", "payments": "#15803d", "notifications": "#a16207"}
BAR_WIDTH = 16
LANE_WIDTH, LEFT, TOP, STEP = 210, 150, 70, 38


@dataclass(frozen=True)
class Arrow:
    """One message: from lane to lane, so many milliseconds after the first."""

    at_ms: float
    sender: str
    hearer: str
    label: str


def arrows(began: datetime, heard: Sequence[Received]) -> list[Arrow]:
    """PlaceBooking, published at `began`, and what was heard after it, in the order heard."""
    found = [
        Arrow((one.envelope.time - began).total_seconds() * 1000, SENDER[one.topic], HEARER[one.topic], _label(one))
        for one in heard
        if one.topic in SENDER
    ]
    return [Arrow(0.0, "customer", "booking", "PlaceBooking"), *found]


def _label(received: Received) -> str:
    envelope = received.envelope
    name = envelope.type.split(".")[1]
    return f"{name} #{envelope.sequence}" if envelope.sequence else name


def show(console: Console, drawn: Sequence[Arrow]) -> None:
    """A row for each message, its place on a bar of time."""
    longest = max((arrow.at_ms for arrow in drawn), default=0.0) or 1.0
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, width in (("ms", 6), ("", BAR_WIDTH), ("from", 13), ("to", 15), ("message", 20)):
        table.add_column(heading, justify="right" if heading == "ms" else "left", min_width=width, no_wrap=True)
    for arrow in drawn:
        place = round(arrow.at_ms / longest * (BAR_WIDTH - 1))
        bar = "[dim]" + "·" * place + "[/dim]" + f"[{COLOURS[arrow.sender]}]●[/]" + " " * (BAR_WIDTH - 1 - place)
        colour = COLOURS[arrow.sender]
        sender = f"[{colour}]{arrow.sender}[/]"
        table.add_row(f"{arrow.at_ms:.0f}", bar, sender, f"[dim]→ {arrow.hearer}[/dim]", arrow.label)
    console.print(table)


def svg(booking_id: UUID, drawn: Sequence[Arrow]) -> str:
    """A sequence diagram; time runs downwards, each message on a line of its own."""
    width, height = LEFT + LANE_WIDTH * len(LANES), TOP + STEP * (len(drawn) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>',
        f'<text x="16" y="24" font-size="15" font-weight="600">Booking {escape(str(booking_id))}</text>',
    ]
    for lane in LANES:
        x = _x(lane)
        parts.append(f'<line x1="{x}" y1="{TOP - 10}" x2="{x}" y2="{height - 10}" stroke="#cbd5e1"/>')
        parts.append(f'<text x="{x}" y="{TOP - 18}" text-anchor="middle" fill="{COLOURS[lane]}">{lane}</text>')
    for number, arrow in enumerate(drawn):
        parts += _drawn(arrow, TOP + STEP * (number + 0.7))
    return "\n".join([*parts, "</svg>\n"])


def _drawn(arrow: Arrow, y: float) -> list[str]:
    start, end = _x(arrow.sender), _x(arrow.hearer)
    colour, middle = COLOURS[arrow.sender], (start + end) / 2
    return [
        f'<text x="16" y="{y + 4:.0f}" fill="#64748b">{arrow.at_ms:.0f} ms</text>',
        f'<line x1="{start}" y1="{y:.0f}" x2="{end}" y2="{y:.0f}" stroke="{colour}" marker-end="url(#tip)"/>',
        f'<circle cx="{start}" cy="{y:.0f}" r="4" fill="{colour}"/>',
        f'<text x="{middle}" y="{y - 6:.0f}" text-anchor="middle" fill="{colour}" stroke="white" stroke-width="4" '
        f'paint-order="stroke">{escape(arrow.label)}</text>',
    ]


def _x(lane: str) -> int:
    return LEFT + LANE_WIDTH // 2 + LANES.index(lane) * LANE_WIDTH


def draw(console: Console, root: Path, booking_id: UUID, began: datetime, heard: Sequence[Received]) -> Path:
    """Show the saga and write `saga-<booking id>.svg` into `root`; returns the file."""
    drawn = arrows(began, heard)
    show(console, drawn)
    file = root / f"saga-{booking_id}.svg"
    file.write_text(svg(booking_id, drawn))
    return file
