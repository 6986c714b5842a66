"""Auditor and console are parts of a stack that is asked for them, with the rights of their roles."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from booking_contracts.rights import SERVICES

from deploy.local.__main__ import say_console
from deploy.local.catalog import OPERATORS, PARTS, process_named
from deploy.local.environment import stack_env
from deploy.local.layout import Layout, replica_names
from deploy.local.operators import RUN
from deploy.local.stack import Stack
from services.operations.databases import DATABASES, OPERATIONS


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Of a stack that is about to start."""
    found = Layout.load(tmp_path)
    found.replicas = replica_names(2)
    found.choose_ports(keep=False)
    found.save()
    return found


def roles(layout: Layout, name: str) -> dict[str, str]:
    """As whom the process reaches which database."""
    given = process_named(layout, name, {}, fast=True, in_container=False).environment
    found = (re.fullmatch(r"postgresql://(\w+):\w+@[^/]+/(\w+)", value) for value in given.values())
    return {one[2]: one[1] for one in found if one}


def test_they_run_where_they_are_asked_for_and_after_what_they_need(tmp_path: Path) -> None:
    assert not {*Stack(tmp_path).names} & {*OPERATORS}
    assert tuple(Stack(tmp_path, parts=PARTS).names[-len(OPERATORS) :]) == OPERATORS


def test_the_auditor_reads_the_services_and_writes_what_it_finds(layout: Layout) -> None:
    assert roles(layout, "auditor") == {**dict.fromkeys(SERVICES, "auditor"), OPERATIONS: OPERATIONS}


def test_the_console_acts_as_the_services_and_owns_nothing(layout: Layout) -> None:
    assert roles(layout, "console") == {name: name for name in DATABASES}


@pytest.mark.parametrize("name", OPERATORS)
def test_they_go_by_the_clock_that_the_services_go_by(layout: Layout, name: str) -> None:
    service, one = (process_named(layout, of, {}, fast=True, in_container=False) for of in ("booking-1", name))
    assert one.environment["CLOCK_OFFSET_FILE"] == service.environment["CLOCK_OFFSET_FILE"]
    assert one.command[-2:] == ("deploy.local.operators", name)
    assert RUN.keys() == {*OPERATORS}


def test_who_has_the_stacks_token_signs_in_at_the_stacks_console(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    env, given = stack_env(layout), process_named(layout, "console", {}, fast=True, in_container=False).environment
    (token,) = json.loads(given["CONSOLE_TOKENS"])
    assert token["token_sha256"] == hashlib.sha256(env["CONSOLE_TOKEN"].encode()).hexdigest()
    assert all(len(secret) >= 32 for secret in json.loads(given["CONSOLE_SESSION_SECRETS"]))
    assert json.loads(given["CONSOLE_SERVICES"])["payments"] == [env["PAYMENTS_URL"], env["PAYMENTS_URL_2"]]

    say_console(Stack(layout.root, parts=PARTS))

    said = capsys.readouterr().out
    assert f"http://127.0.0.1:{given['HTTP_PORT']}" in said
    assert env["CONSOLE_TOKEN"] in said


def test_a_stack_without_a_console_names_none(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    say_console(Stack(layout.root))
    assert capsys.readouterr().out == ""


@pytest.mark.requirement("secrets")
def test_of_a_secure_stack_no_process_has_a_secret_in_a_variable(layout: Layout) -> None:
    """So each can be rotated while they run: tests/security does it."""
    layout.secure = True
    hidden = {secret for name, secret in layout.secrets.items() if not name.startswith("postgres")}
    for name in (*layout.replicas, *OPERATORS):
        given = process_named(layout, name, {}, fast=True, in_container=False).environment
        assert [variable for variable, value in given.items() if any(one in value for one in hidden)] == [], name
    files = {file.relative_to(layout.root).as_posix() for file in (layout.root / "secrets").glob("*/*_PASSWORD")}
    assert files >= {f"secrets/{role}/DATABASE_PASSWORD" for role in (*DATABASES, "auditor")}
