"""What a machine must have that a cluster runs on, beside the program of build.py; Debian's packages are installed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.cluster.problems import NoCluster

PACKAGES: Mapping[str, str] = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ethtool": "ethtool",
    "socat": "socat",
    "openssl": "openssl",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
"""Debian's package by a program of it."""
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def missing() -> list[str]:
    """Packages whose program is not there."""
    return sorted({package for program, package in PACKAGES.items() if shutil.which(program) is None})


def install() -> None:
    """Everything that is missing. Raises NoCluster where that, or a cluster itself, cannot be here."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NoCluster("helm and kubectl are for 64-bit Linux on x86 (deploy/helm/tools.py)")
    if os.geteuid() != 0:
        raise NoCluster("only root can start nodes")
    if subprocess.run([*NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
        raise NoCluster("this machine gives root no namespaces of its own, or no mounts in them")
    if not (wanted := missing()):
        return
    if shutil.which("apt-get") is None or not Path("/etc/debian_version").exists():
        raise NoCluster(f"{', '.join(wanted)} are missing, and this is no Debian to install them on")
    print(f"Installing {' '.join(wanted)}", file=sys.stderr)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(["apt-get", "-qq", *command], env=environment, stdout=sys.stderr).returncode:
            raise NoCluster(f"{' '.join(wanted)} could not be installed: see above")
