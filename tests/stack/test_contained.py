"""PostgreSQL and Kafka of a stack in containers: asked for by name; who does not ask needs no testcontainers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.images import docker
from deploy.local.stack import Stack
from tests import backend


def test_a_stack_of_processes_needs_no_testcontainers() -> None:
    seen = "import deploy.local.__main__, sys; print([name for name in sys.modules if 'testcontainers' in name])"
    done = subprocess.run([sys.executable, "-c", seen], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [None, signal.SIGKILL, signal.SIGSTOP])
def test_a_signal_that_would_reach_nobody_is_refused(tmp_path: Path, number: signal.Signals | None) -> None:
    stack = Stack(tmp_path, parts=("kafka",), contained=("kafka",))
    with pytest.raises(RuntimeError, match="run it as a process"):
        stack.stop_process("kafka", number)


@pytest.mark.parametrize("more", [{"secure": True}, {"kafka_listeners": {"proxy": (1, 2)}}])
def test_a_broker_with_more_than_an_open_listener_is_no_container(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one open listener"):
        Stack(tmp_path, contained=("kafka",), **more)


def test_processes_are_the_backend_when_nothing_is_said() -> None:
    assert backend.contained({}) == backend.contained({backend.VARIABLE: "processes"}) == ()
    assert backend.contained({backend.VARIABLE: "containers"}) == ("postgres", "kafka")
    with pytest.raises(pytest.UsageError, match="there are processes and containers"):
        backend.contained({backend.VARIABLE: "docker"})


def test_containers_are_not_replaced_by_processes_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise docker.NoDocker("no Docker engine answers")

    monkeypatch.setattr(docker, "docker", nobody)
    with pytest.raises(pytest.UsageError, match="no Docker engine answers"):
        backend.prepare({backend.VARIABLE: "containers"})
    backend.prepare({})


def test_it_runs_the_images_that_were_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(docker, "docker", lambda: "docker")
    made = "KAFKA_IMAGE=made/kafka:1\nPOSTGRES_IMAGE=made/postgres:1\nBUILD_IMAGE=made/python\n"
    (tmp_path / "images.env").write_text(made)
    environment = {backend.VARIABLE: "containers", "KAFKA_IMAGE": "mine/kafka:1"}
    backend.prepare(environment, tmp_path / "images.env")
    assert (environment["KAFKA_IMAGE"], environment["POSTGRES_IMAGE"]) == ("mine/kafka:1", "made/postgres:1")
    assert "BUILD_IMAGE" not in environment
