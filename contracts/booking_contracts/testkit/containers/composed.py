"""A booking system in containers of its own, on a network of its own, at ports that the engine chooses."""

from __future__ import annotations

import hashlib
import secrets
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.exceptions import ContainerStartException
from testcontainers.core.labels import create_labels
from testcontainers.core.network import Network

from booking_contracts.rights import SERVICES
from booking_contracts.testkit.containers import addresses, composition, images, reaping
from booking_contracts.testkit.containers.composition import Part
from booking_contracts.testkit.containers.making import container_of, volumes_of
from booking_contracts.testkit.running import NotStarted, Running

START_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.05
ANSWER_SECONDS = 5.0
TAIL_LINES = 25
GRACE_SECONDS = 25
"""Longer than a service takes to finish what it has in hand (docs/containers.md)."""


@contextmanager
def running() -> Iterator[Running]:
    """The whole system, ready; removed at the end, also when this process is killed (reaping.py). Raises NotStarted."""
    token, webhook_secret = secrets.token_hex(16), f"whsec_{secrets.token_hex(16)}"
    with ExitStack() as up:
        client = up.enter_context(_engine())
        reaping.prepare()
        chosen = images.chosen(client) | {
            "SERVICE_TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
            "STRIPE_WEBHOOK_SECRET": webhook_secret,
        }
        folder = up.enter_context(TemporaryDirectory(prefix="booking-system-"))
        told = composition.copied_out(client, chosen["TESTING_IMAGE"], Path(folder))
        parts = composition.parts(told, chosen)
        network = up.enter_context(Network())
        for volume in volumes_of(parts.values(), network):
            up.callback(client.volumes.create(volume, labels=create_labels("", None)).remove)
        containers = {name: container_of(part, network, told) for name, part in parts.items()}
        up.callback(_together, [partial(_stop, container) for container in containers.values()])
        _start(parts, containers)
        staying = {name: container for name, container in containers.items() if name not in _ending(parts)}
        services = {name: containers[name] for name in SERVICES}
        env = addresses.stack_env(parts, containers)
        env |= {"SERVICE_TOKEN": token, "STRIPE_WEBHOOK_SECRET": webhook_secret}

        def start_again() -> None:
            _together([partial(_start_again, name, container) for name, container in services.items()])
            env.update(addresses.stack_env(parts, containers))  # the engine chooses their ports anew

        yield Running(
            env,
            lambda: {name: _said(container) for name, container in staying.items()},
            stop_services=lambda: _together([partial(_rest, container) for container in services.values()]),
            start_services=start_again,
        )


@contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    try:
        client = DockerClient().client
        client.ping()
    except docker.errors.DockerException as problem:
        raise NotStarted(
            f"No Docker engine answers: {problem}\nStart one, or do without:"
            " BOOKING_CHECKOUT=<a clone of the booking system, after `make setup`>."
        ) from problem
    try:
        yield client
    finally:
        client.close()


def _ending(parts: Mapping[str, Part]) -> set[str]:
    """Those that do their work and end."""
    return {name for part in parts.values() for name in part.ends}


def _start(parts: Mapping[str, Part], containers: Mapping[str, DockerContainer]) -> None:
    """Each once those that it needs are there, and beside the others. Raises NotStarted with what the part wrote."""
    ending = _ending(parts)
    started: dict[str, Future[None]] = {}

    def start(name: str) -> None:
        if any(started[other].exception() for other in parts[name].needs):
            return
        container = containers[name]
        try:
            container.start()
            if name in ending:
                _ended(container)
            else:
                _answers(name, container)
        except Exception as problem:
            raise _not_started(name, container, problem) from problem

    with ThreadPoolExecutor(len(parts)) as pool:
        for name in TopologicalSorter({name: part.needs for name, part in parts.items()}).static_order():
            started[name] = pool.submit(start, name)
    for one in started.values():
        one.result()


def _not_started(name: str, container: DockerContainer, problem: Exception) -> NotStarted:
    written = "\n".join(_said(container).splitlines()[-TAIL_LINES:])
    return NotStarted(f"{name} of the booking system did not start: {problem}\n{written}")


def _ended(container: DockerContainer) -> None:
    status = container.wait()
    if status != 0:
        raise RuntimeError(f"it ended with {status}")


def _answers(name: str, container: DockerContainer) -> None:
    """Wait until it does. Raises TimeoutError, at once where it has ended."""
    deadline = time.monotonic() + START_SECONDS
    for url in addresses.asked(name, container):
        while not _answers_at(url):
            container.reload()
            if container.status != "running" or time.monotonic() > deadline:
                raise TimeoutError(f"it is {container.status}, and {url} does not answer 200")
            time.sleep(LOOK_AGAIN_SECONDS)


def _answers_at(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _said(container: DockerContainer) -> str:
    """What it has written so far, in the order of time; nothing where it was never made."""
    with suppress(ContainerStartException):
        return bytes(container.get_wrapped_container().logs()).decode("utf-8", "replace")
    return ""


def _rest(container: DockerContainer) -> None:
    container.get_wrapped_container().stop(timeout=GRACE_SECONDS)


def _start_again(name: str, container: DockerContainer) -> None:
    container.get_wrapped_container().start()
    try:
        _answers(name, container)
    except TimeoutError as problem:
        raise _not_started(name, container, problem) from problem


def _stop(container: DockerContainer) -> None:
    with suppress(docker.errors.NotFound):
        container.stop()


def _together(does: Iterable[Callable[[], None]]) -> None:
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(one) for one in does]:
            done.result()
