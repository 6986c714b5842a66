"""`python -m deploy.images.usable`: whether containers can be tested here; says what is missing, and ends with 1."""

from __future__ import annotations

import sys

from deploy.images import docker

if __name__ == "__main__":
    try:
        docker.compose_client()
    except docker.NoDocker as problem:
        sys.exit(f"Containers cannot be tested: {problem}.")
