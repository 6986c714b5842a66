"""What the testkit makes of the compose files and images, without an engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.containers import composition, images
from booking_contracts.testkit.containers.addresses import DATABASES, HTTP
from booking_contracts.testkit.containers.composition import Part

from deploy.images.__main__ import ORDINARY, OURS, TESTING
from deploy.local.layout import REPOSITORY

FOLDER = REPOSITORY / "deploy"


@pytest.fixture
def parts() -> dict[str, Part]:
    return composition.parts(FOLDER, {})


def test_the_image_for_tests_holds_what_the_testkit_looks_for() -> None:
    """Copied to where it looks, and there to be copied."""
    copied = re.findall(r"^COPY (.*) (/testing/deploy/\S*)$", TESTING.read_text(), re.MULTILINE)
    held = {
        str(Path(into) / (Path(source).name if into.endswith("/") else ""))
        for sources, into in copied
        for source in sources.split()
    }
    looked_for = [f"{composition.FOLDER}/{name}" for name in (*composition.FILES, composition.SCRIPTS)]
    assert {*looked_for} <= held
    assert all((FOLDER / Path(name).name).exists() for name in looked_for)


def test_its_images_are_those_of_make_images() -> None:
    assert {name: image for name, (_, _, image) in OURS.items()} == images.OURS
    assert images.ORDINARY.items() <= ORDINARY.items()


def test_a_part_has_what_the_file_above_says_and_needs_what_both_say(parts: dict[str, Part]) -> None:
    booking = parts["booking"]
    assert booking.command == ["python", "-m", "deploy.local.service", "booking"]
    assert booking.image == images.OURS["TESTING_IMAGE"]
    assert booking.environment["DATABASE_URL"] == "postgresql://booking:booking@postgres/booking"
    assert (booking.ends, booking.answers) == (["migrations", "topics"], ["clock"])
    assert booking.volumes == [("clock", "/clock", "ro")]
    assert booking.rights["cap_drop"] == ["ALL"]
    assert parts["clock"].volumes == [("clock", "/clock", "rw")]


def test_parts_are_those_that_compose_starts(parts: dict[str, Part]) -> None:
    """Not auditor and console, which are asked for."""
    infrastructure = {"postgres", "kafka", "migrations", "topics", "stripe-simulator", "mailbox", "clock"}
    assert parts.keys() == {*SERVICES, *infrastructure}


def test_a_value_is_put_in_place_of_a_default_and_nothing_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_of_somebody")
    found = composition.parts(FOLDER, {"SERVICES_IMAGE": "registry.example/booking:7", "STRIPE_WEBHOOK_SECRET": "w"})
    assert found["migrations"].image == "registry.example/booking:7"
    assert found["payments"].environment["STRIPE_WEBHOOK_SECRETS"] == '["w"]'
    assert found["payments"].environment["STRIPE_API_KEY"] == "sk_test_local"


@pytest.mark.requirement("testkit")
def test_what_a_test_is_told_is_there(parts: dict[str, Part]) -> None:
    for part, port, _ in HTTP.values():
        assert port in parts[part].ports
    for part, variable in DATABASES.values():
        assert variable in parts[part].environment


def test_the_addresses_are_all_that_contract_md_names() -> None:
    page = (REPOSITORY / "docs" / "contract.md").read_text()
    section = page.partition("## The local stack")[2].partition("\n- ")[0]
    named = set(re.findall(r"`([A-Z_]{5,})`", section)) - {"KEY", "REPLICAS"}
    told = {*HTTP, *DATABASES, "KAFKA_BOOTSTRAP_SERVERS", "SERVICE_TOKEN", "STRIPE_WEBHOOK_SECRET"}
    assert named == told
