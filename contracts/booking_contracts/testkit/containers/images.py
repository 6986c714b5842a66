"""Which images a system is started from: by the variables of deploy/compose.yaml, else what this engine has."""

from __future__ import annotations

import os
from collections.abc import Mapping

import docker
from testcontainers.core.config import testcontainers_config

from booking_contracts.testkit.containers import kafka, postgres
from booking_contracts.testkit.running import NotStarted

OURS = {
    "SERVICES_IMAGE": "booking-services:dev",
    "SIMULATOR_IMAGE": "booking-stripe-simulator:dev",
    "TESTING_IMAGE": "booking-testing:dev",
}
ORDINARY = {postgres.IMAGE_VARIABLE: postgres.IMAGE, kafka.IMAGE_VARIABLE: kafka.IMAGE}
STANDS_IN_FOR = "booking.stands-in-for"
"""Label of an image that `make images` made because the ordinary one, which it names, could not be had."""


def chosen(client: docker.DockerClient, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Every image by its variable, pulled where the engine does not have it. Raises NotStarted."""
    found = {name: environment.get(name) or image for name, image in OURS.items()}
    found |= {name: environment.get(name) or _found(client, image) for name, image in ORDINARY.items()}
    for name, image in found.items():
        if not _is_here(client, image):
            _pull(client, name, image)
    return found


def _found(client: docker.DockerClient, ordinary: str) -> str:
    """The ordinary image, unless the engine has one that stands in for it, and not the ordinary one."""
    if not testcontainers_config.hub_image_name_prefix and not _is_here(client, ordinary):
        for image in client.images.list(filters={"label": f"{STANDS_IN_FOR}={ordinary}"}):
            for name in image.tags:
                return str(name)
    return ordinary


def _is_here(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(_named(image))
    except docker.errors.ImageNotFound:
        return False
    return True


def _pull(client: docker.DockerClient, variable: str, image: str) -> None:
    try:
        client.images.pull(_named(image))
    except docker.errors.DockerException as problem:
        raise NotStarted(
            f"The image {image} is not on the Docker engine and cannot be pulled: {problem}\n"
            f"Name another by {variable}, or run `make images` in a clone of the booking system."
        ) from problem


def _named(image: str) -> str:
    """testcontainers puts TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX before every name, ours too."""
    return f"{testcontainers_config.hub_image_name_prefix}{image}"
