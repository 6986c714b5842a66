"""Removes containers whose tests were killed: Ryuk does, and where it cannot be had, a process of ours.

What testcontainers starts is labelled with the id of its session. Ryuk is a container of testcontainers that removes
all of a session once the session's connection ends. It needs its image and the engine's socket; where one of them is
refused, or Ryuk is switched off, this file runs as a process instead, which does the same when its standard input ends.
That one does not outlive the machine on which the tests run: on a remote engine Ryuk alone does.
"""

from __future__ import annotations

import logging
import subprocess
import sys

import docker

SESSION = "org.testcontainers.session-id"
_process: subprocess.Popen[bytes] | None = None
"""Ours. Its standard input ends when this process does, however it does."""


def prepare() -> None:
    """See to it that the containers of this process are removed when it is killed."""
    global _process
    if _process is None and not _has_ryuk():
        from testcontainers.core.labels import SESSION_ID

        # Ctrl-C is for the tests, which end in order.
        command = [sys.executable, "-P", __file__, SESSION_ID]
        _process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _has_ryuk() -> bool:
    """Whether it runs, and is connected. Where it cannot be had, testcontainers is told not to start it."""
    from testcontainers.core.config import testcontainers_config as config
    from testcontainers.core.container import Reaper

    if config.ryuk_disabled:
        return False
    # With a prefix testcontainers 4.15 does not know Ryuk's own container again, and starts a Ryuk for it, and so on.
    if not config.hub_image_name_prefix:
        try:
            Reaper.get_instance()
        except Exception as problem:
            logging.getLogger(__name__).info("Ryuk is not to be had: %s", problem)
            Reaper.delete_instance()
        else:
            return True
    config._ryuk_disabled = True
    return False


def remove(session: str) -> None:
    """What bears the session's label: containers with their data, networks, volumes."""
    of_it = {"label": f"{SESSION}={session}"}
    client = docker.from_env()
    for container in client.containers.list(all=True, filters=of_it, ignore_removed=True):
        container.remove(force=True, v=True)
    for network in client.networks.list(filters=of_it):
        network.remove()
    for volume in client.volumes.list(filters=of_it):
        volume.remove()


if __name__ == "__main__":
    sys.stdin.buffer.read()
    remove(sys.argv[1])
