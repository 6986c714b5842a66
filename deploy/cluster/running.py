"""A cluster's folder and its first process: written, started, ended, removed. Its lock says whether it runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.cluster import components
from deploy.cluster.problems import NoCluster
from deploy.cluster.programs import NAMESPACES
from deploy.helm.tools import NoTools, tool
from deploy.local.layout import REPOSITORY, write_private

STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
TAIL_LINES = 12
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def running(folder: Path) -> bool:
    """Whether a process of it is there: each has the lock."""
    try:
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def process(folder: Path) -> int:
    """The one that everything ends with, and whose network and mounts are the cluster's."""
    return int((folder / "pid").read_text())


def environment(folder: Path) -> dict[str, str]:
    """Of whatever runs inside: kubectl and helm on the path; no proxy, because nobody outside is asked."""
    outside = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    own = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "KUBECACHEDIR")
    return {
        **outside,
        **{name: str(folder / name.lower()) for name in own},
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "KUBECONFIG": str(folder / "kubeconfig"),
        "HELM_NAMESPACE": "bookings",
    }


def write(folder: Path) -> None:
    """Everything that is read at the start. Raises NoCluster where kubectl and Helm are missing."""
    try:
        tools = {"kubectl": tool("kubectl"), "helm": tool("helm4")}
    except NoTools as problem:
        raise NoCluster(str(problem)) from problem
    for name in ("logs", "data", "bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, program in tools.items():
        (folder / "bin" / name).symlink_to(program)
    for path, content in components.files(folder, secrets.token_hex(16)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_private(folder / path, content)
    (folder / "resolv.conf").chmod(0o644)
    key = folder / "service-accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)


def start(folder: Path, program: Path, tied: bool) -> None:
    """Not as nice as this process: pods would be, too. `tied`: it ends when this process does."""
    ends_with_us = ["setpriv", "--pdeathsig", "KILL"] if tied else []
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        first = [sys.executable, "-m", "deploy.cluster.inside", str(folder), str(program), str(lock)]
        with (folder / "logs" / "cluster.log").open("wb") as log:
            started = subprocess.Popen(
                ["nice", "-n", str(-os.nice(0)), *ends_with_us, *NAMESPACES, *first],
                cwd=REPOSITORY,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock,),
            )
    finally:
        os.close(lock)  # whoever inherited it still has it locked
    (folder / "pid").write_text(f"{started.pid}\n")


def end(folder: Path) -> None:
    """Kill it, and wait until the kernel has ended everything else."""
    if running(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process(folder), signal.SIGKILL)
    deadline = time.monotonic() + STOP_SECONDS
    while running(folder) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def clear(folder: Path, kept: Sequence[str]) -> None:
    """Remove its files, and its control groups, which the kernel leaves when their last process has gone."""
    if not folder.exists():
        return
    for group in control_groups(folder):
        for below, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(below)
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def control_groups(folder: Path) -> list[Path]:
    """Those of its containers, which containerd names by their ids: below the machine's, among others' perhaps."""
    ids = [path.name for path in folder.glob("node*/containerd/io.containerd.grpc.v1.cri/*/*")]
    below = [*CONTROL_GROUPS.glob("k8s.io"), *CONTROL_GROUPS.glob("*/k8s.io")]
    return [group / name for group in below for name in ids if (group / name).exists()]


def why(folder: Path) -> str:
    """The end of the log of the component that ended."""
    ended = folder / "ended"
    name = ended.read_text() if ended.exists() else "cluster"
    log = folder / "logs" / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"The cluster did not come up; the end of {log}:", *lines])
