"""The picture of the history is well-formed, and a run lies where its figure says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.bench.drawing import BOTTOM, CHARTS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawn, points, rounded_up

SVG = "{http://www.w3.org/2000/svg}"


def run(commit: str, **figures: object) -> dict[str, object]:
    return {"date": "2026-11-26T06:15:00Z", "commit": commit, "arguments": [], "figures": figures}


@pytest.mark.parametrize(("most", "end"), [(268.0, 500.0), (1000.0, 1000.0), (13.1, 20.0), (1.0, 1.0), (0.3, 0.5)])
def test_an_axis_ends_at_a_round_number(most: float, end: float) -> None:
    assert rounded_up(most) == pytest.approx(end)


def test_runs_lie_from_left_to_right_and_zero_is_the_floor() -> None:
    floor = HEIGHT - BOTTOM
    assert points([0.0, 50.0, 100.0], 100.0) == [
        (LEFT, floor),
        ((LEFT + WIDTH - RIGHT) / 2, (TOP + floor) / 2),
        (WIDTH - RIGHT, TOP),
    ]


def test_a_run_without_the_figure_leaves_a_gap_and_not_a_zero() -> None:
    assert len(points([1.0, None, 3.0], 5.0)) == 2


def test_every_figure_of_every_run_is_a_point() -> None:
    runs = [run("3495663", card_sagas_per_s=268.0, p50_ms_at_20=32), run("<&-dirty", card_sagas_per_s=400.0)]
    picture = ElementTree.fromstring(drawn(runs))
    assert len(picture.findall(f"{SVG}g")) == len(CHARTS)
    assert len(list(picture.iter(f"{SVG}circle"))) == 3
    assert "<&-dirt" in {element.text for element in picture.iter(f"{SVG}text")}


def test_no_run_at_all_is_a_picture_too() -> None:
    assert ElementTree.fromstring(drawn([])).tag == f"{SVG}svg"
