"""`python -m tests.containers.usable`: whether containers can be tested here; says what is missing, and ends with 1."""

from __future__ import annotations

import sys

from deploy.images import docker
from tests.containers.composed import compose_client

if __name__ == "__main__":
    try:
        compose_client()
    except docker.NoDocker as problem:
        sys.exit(f"Containers cannot be tested: {problem}.")
