"""Where things stand in the pictures of a booking's page: numbers, which templates draw with classes and no style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.booking.model.states import State
from services.operations.console.reads.states import PLACES, Stay, steps, way
from services.operations.console.reads.timeline.marks import Lane, Mark
from services.operations.console.reads.timeline.whole import Timeline

LEFT, TOP, LANE, STEP, GAP = 120, 56, 170, 34, 22
LONG_SECONDS = 60.0
"""A pause as long as this is said between two marks."""
LONGEST_LABEL = 34
BOX_WIDTH, BOX_HEIGHT, COLUMN, ROW = 190, 30, 222, 68


@dataclass(frozen=True, slots=True)
class Arrow:
    """A mark at its height; `pause`: seconds since the mark before, where that is long."""

    mark: Mark
    y: int
    start: int
    end: int
    label: str
    after: float
    pause: float | None

    @property
    def stays(self) -> bool:
        """Whether it leads from a lane to itself."""
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Lanes:
    """The timeline's picture; `lanes`: names and where they stand."""

    width: int
    height: int
    lanes: Sequence[tuple[str, int]]
    arrows: Sequence[Arrow]


def lanes(timeline: Timeline) -> Lanes:
    """Time runs downwards, each mark on a line of its own."""
    places = {lane: LEFT + LANE // 2 + number * LANE for number, lane in enumerate(Lane)}
    arrows, y = list[Arrow](), TOP
    before: Mark | None = None
    for mark in timeline.marks:
        waited = 0.0 if before is None else (mark.at - before.at).total_seconds()
        pause = waited if waited >= LONG_SECONDS else None
        y += STEP + (GAP if pause is not None else 0)
        label = mark.label if len(mark.label) <= LONGEST_LABEL else f"{mark.label[: LONGEST_LABEL - 1]}…"
        start, end = places[mark.sender], places[mark.hearer]
        arrows.append(Arrow(mark, y, start, end, label, timeline.after(mark), pause))
        before = mark
    return Lanes(LEFT + LANE * len(Lane), y + STEP, [(str(lane), x) for lane, x in places.items()], arrows)


@dataclass(frozen=True, slots=True)
class Box:
    """A state; `kind` is now, been or nothing."""

    state: State
    x: int
    y: int
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A step; `path` as an SVG path has it."""

    path: str
    taken: bool


@dataclass(frozen=True, slots=True)
class States:
    """The state diagram; what was taken is drawn last, over the others."""

    width: int
    height: int
    box: tuple[int, int]
    boxes: Sequence[Box]
    lines: Sequence[Line]


def states(stays: Sequence[Stay]) -> States:
    """Every state, and the way that was taken."""
    been = {stay.state for stay in stays}
    now = stays[-1].state if stays else None
    kinds = {state: "now" if state == now else "been" if state in been else "" for state in PLACES}
    taken = way(stays)
    drawn = [Line(_path(*step), taken=False) for step in steps() if step not in taken]
    drawn += [Line(_path(*step), taken=True) for step in sorted(taken)]
    boxes = [Box(state, *_corner(state), kinds[state]) for state in PLACES]
    columns, rows = (max(place[n] for place in PLACES.values()) for n in (0, 1))
    return States(columns * COLUMN + BOX_WIDTH + 4, rows * ROW + BOX_HEIGHT + 4, (BOX_WIDTH, BOX_HEIGHT), boxes, drawn)


def _corner(state: State) -> tuple[int, int]:
    column, row = PLACES[state]
    return 2 + column * COLUMN, 2 + row * ROW


def _path(before: State, after: State) -> str:
    """To the right from side to side, or else down; around what stands in between, in the gaps."""
    (column, row), (to_column, to_row) = PLACES[before], PLACES[after]
    (x1, y1), (x2, y2) = _corner(before), _corner(after)
    if to_column == column + 1:
        right, left, middle = x1 + BOX_WIDTH, x2, x1 + BOX_WIDTH + (COLUMN - BOX_WIDTH) // 2
        start, end = y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
        return f"M{right} {start} C{middle} {start} {middle} {end} {left} {end}"
    start, end, centre = x1 + BOX_WIDTH // 2, x2 + BOX_WIDTH // 2, (ROW - BOX_HEIGHT) // 2
    if to_row - row < len({place[1] for place in PLACES.values()}) - 1:
        return f"M{start} {y1 + BOX_HEIGHT} L{end} {y2}"
    gutter = x2 + (COLUMN + BOX_WIDTH) // 2
    return f"M{start} {y1 + BOX_HEIGHT} V{y1 + BOX_HEIGHT + centre} H{gutter} V{y2 - centre} H{end} V{y2}"
