"""What the container files say, without an engine: names, locks, and the part that is cut out of libraries."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from booking_contracts.rights import SERVICES
from pydantic_settings import BaseSettings

from deploy.images import trim
from deploy.images.__main__ import ORDINARY, OURS
from deploy.images.local.catalogue import substitutes
from deploy.local.layout import REPOSITORY, ROLES
from services.notifications.locales import LANGUAGES, understood
from services.operations.databases import DATABASES
from tests.containers.composed import FILES, PORTS

COMPOSE: dict[str, Any] = yaml.safe_load(FILES[0].read_text())
CLOCK: dict[str, Any] = yaml.safe_load(FILES[1].read_text())
DOCKERFILES = sorted({dockerfile for dockerfile, _, _ in OURS.values()})
LOCKS = ("build", "testing", "simulator", "services", "dev", "uv")
"""Files of requirements/ that agree with each other; what makes the bill of materials, Node and the chart have tools of
their own."""
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)[^\\]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def variables(text: str) -> dict[str, str]:
    """The variables of a compose file, each with its default."""
    return dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", text))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_what_its_settings_know_and_all_that_they_need(service: str) -> None:
    settings: type[BaseSettings] = importlib.import_module(f"services.{service}.app").Settings
    given = set(COMPOSE["services"][service]["environment"])
    known = {name.upper(): field for name, field in settings.model_fields.items()}
    assert given <= known.keys()
    assert {name for name, field in known.items() if field.is_required()} <= given


@pytest.mark.parametrize("service", SERVICES)
def test_its_values_are_valid(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMPOSE["services"][service]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", value))
    settings = importlib.import_module(f"services.{service}.app").Settings()
    assert settings.api_tokens[0].matches("local-token")


@pytest.mark.parametrize("name", ["auditor", "console"])
def test_who_looks_after_bookings_is_told_every_database_once(name: str) -> None:
    given = COMPOSE["services"][name]["environment"]
    roles = {setting: re.findall(r"//(\w+):", url)[0] for setting, url in given.items() if setting.endswith("_URL")}
    assert roles.keys() == {f"{database.upper()}_DATABASE_URL" for database in DATABASES}
    reads = {f"{service.upper()}_DATABASE_URL": "auditor" for service in SERVICES}
    own = {f"{database.upper()}_DATABASE_URL": database for database in DATABASES}
    assert roles == (own | reads if name == "auditor" else own)


def test_the_console_knows_what_it_is_told_and_opens_to_the_token_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = importlib.import_module("services.operations.console.settings").ConsoleSettings
    for name, value in COMPOSE["services"]["console"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", value))
        assert name.lower() in settings.model_fields or name.endswith("_DATABASE_URL")
    assert settings().console_tokens[0].matches("local-console-token")


@pytest.mark.parametrize("service", SERVICES)
def test_production_runs_the_application_that_there_is(service: str) -> None:
    program, verb, application, factory = COMPOSE["services"][service]["command"]
    module, _, name = application.partition(":")
    assert (program, verb, factory) == ("faststream", "run", "--factory")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_image_and_port_can_be_chosen() -> None:
    chosen = {**variables(FILES[0].read_text()), **variables(FILES[1].read_text())}
    for name, service in {**CLOCK["services"], **COMPOSE["services"]}.items():
        assert service["image"].startswith("${"), name
        assert all(port.startswith("127.0.0.1:${") for port in service.get("ports", ())), name
    assert set(PORTS) <= chosen.keys()
    assert {name: chosen[name] for name in OURS} == {name: image for name, (_, _, image) in OURS.items()}
    assert {name: chosen[name] for name in ("POSTGRES_IMAGE", "KAFKA_IMAGE")}.items() <= ORDINARY.items()
    assert {name for name, _ in substitutes()} == ORDINARY.keys()


def test_what_is_ours_has_no_rights_and_what_stays_up_is_asked_how_it_is() -> None:
    for name, service in COMPOSE["services"].items():
        if name not in ("postgres", "kafka"):
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert service["security_opt"] == ["no-new-privileges:true"], name
        runs_once = name in ("migrations", "topics")
        assert ("healthcheck" in service) is not runs_once, name


def test_the_cluster_is_given_a_password_for_every_role() -> None:
    given = COMPOSE["services"]["postgres"]["environment"]
    assert given.keys() == {f"{role.upper()}_PASSWORD" for role in ROLES}
    script = (REPOSITORY / "deploy" / "postgres" / "databases.sql").read_text()
    asked = set(re.findall(r"\\getenv \w+ (\w+)", script))
    assert asked == given.keys() - {"POSTGRES_PASSWORD"}
    text = FILES[0].read_text()
    for role, password in re.findall(r"postgresql://(\w+):([^@]+)@", text):
        assert given[f"{role.upper()}_PASSWORD"] == password


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_a_dockerfile_copies_what_there_is_runs_as_nobody_and_needs_no_frontend(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    lines = re.sub(r"\\\n", " ", text).splitlines()
    copied = [shlex.split(line)[1:-1] for line in lines if line.startswith("COPY ") and "--from=" not in line]
    assert [source for sources in copied for source in sources if not (REPOSITORY / source).exists()] == []
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)
    assert "USER 65532:65532" in text
    assert "# syntax" not in text, "it would be pulled"
    assert set(re.findall(r"^ARG (?:BUILD|RUNTIME)_IMAGE=(.*)", text, re.MULTILINE)) == {ORDINARY["RUNTIME_IMAGE"]}
    for _, stage, _ in (ours for ours in OURS.values() if ours[0] == dockerfile):
        assert any(re.match(rf"\S+ AS {stage}\n", one) for one in stages)


def test_requirements_are_locked_with_hashes_and_agree() -> None:
    pins: dict[str, dict[str, str]] = {}
    for lock in (*LOCKS, "sbom", "node", "platform", "helm"):
        text = (REPOSITORY / "requirements" / f"{lock}.txt").read_text()
        found = PIN.findall(re.sub(r"\n    #.*", "", text) + "\n")
        assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE)), f"{lock}: a pin without hashes"
        pins[lock] = {name: version for name, version, _ in found}
    for lock in LOCKS:
        differing = {name: version for name, version in pins[lock].items() if pins["dev"].get(name, version) != version}
        assert differing == {}, f"{lock} has other versions than dev"


def test_what_is_cut_out_of_libraries_is_there_and_nothing_reads_it(tmp_path: Path) -> None:
    assert all((trim.packages() / name).is_dir() for name in (*trim.UNREAD, trim.LOCALES)), "a library has moved it"
    for name in trim.UNREAD:
        (tmp_path / name).mkdir(parents=True)
    locales = tmp_path / trim.LOCALES
    locales.mkdir(parents=True)
    for name in ("root", "en", "en_GB", "de", "fr", "den"):
        (locales / f"{name}.dat").touch()
    trim.trim(tmp_path)
    assert {file.name for file in locales.iterdir()} == {"root.dat", "en.dat", "en_GB.dat", "de.dat"}
    assert not any((tmp_path / name).exists() for name in trim.UNREAD)
    assert {understood(tag).language for tag in ("fr-CA", "pt", "nonsense", "de-AT", "en-GB")} == set(LANGUAGES)
