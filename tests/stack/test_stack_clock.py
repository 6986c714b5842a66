"""The clock at CLOCK_OFFSET_URL only moves forward, and every process sees it at once."""

import mmap
from pathlib import Path

import aiohttp
import pytest

from deploy.local.clock_offset import ClockOffset
from deploy.local.stack import Stack


def test_the_file_is_an_int64_that_other_maps_see(tmp_path: Path) -> None:
    clock = ClockOffset(tmp_path / "offset")
    with (tmp_path / "offset").open("rb") as file:
        reader = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)

        assert clock.advance_to(86_400)

        assert int.from_bytes(reader[:8], "little", signed=True) == 86_400


def test_it_goes_back_to_a_snapshot_that_other_maps_see(tmp_path: Path) -> None:
    clock, reader = ClockOffset(tmp_path / "offset"), ClockOffset(tmp_path / "offset")
    assert not clock.restore()
    clock.advance_to(60)
    clock.snapshot()
    clock.advance_to(86_400)

    assert clock.restore()

    assert reader.seconds == 60


def test_a_second_creation_keeps_the_first_map_valid(tmp_path: Path) -> None:
    first = ClockOffset(tmp_path / "offset")
    second = ClockOffset(tmp_path / "offset")
    assert first.advance_to(5)
    assert second.seconds == 5


def test_the_offset_outlives_its_process(tmp_path: Path) -> None:
    ClockOffset(tmp_path / "offset").advance_to(60)
    again = ClockOffset(tmp_path / "offset")
    assert again.seconds == 60
    assert not again.advance_to(59)
    assert again.advance_to(60)


async def test_put_moves_the_clock_forward_only(stack: Stack) -> None:
    async with aiohttp.ClientSession(stack.env["CLOCK_OFFSET_URL"]) as http:

        async def put(seconds: int) -> tuple[int, int]:
            async with http.put("/", json={"offset_seconds": seconds}) as answer:
                return answer.status, (await answer.json())["offset_seconds"]

        start = (await (await http.get("/")).json())["offset_seconds"]
        assert await put(start + 100) == (200, start + 100)
        assert await put(start + 100) == (200, start + 100)
        assert await put(start + 99) == (409, start + 100)
        assert await (await http.get("/")).json() == {"offset_seconds": start + 100}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "7",
        "[]",
        "{}",
        '{"offset_seconds": -1}',
        '{"offset_seconds": 1.0}',
        '{"offset_seconds": "1"}',
        '{"offset_seconds": true}',
        '{"offset_seconds": null}',
        '{"offset_seconds": 99999999999999999999}',
        '{"offset_seconds": 1, "more": 2}',
    ],
)
async def test_anything_but_whole_seconds_is_refused(stack: Stack, body: str) -> None:
    async with aiohttp.ClientSession(stack.env["CLOCK_OFFSET_URL"]) as http, http.put("/", data=body) as answer:
        assert answer.status == 400
