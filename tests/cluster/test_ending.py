"""A cluster ends with one process, however that ends, and leaves nothing on the machine."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from deploy.cluster import nodes
from deploy.cluster.cluster import Cluster
from deploy.cluster.problems import Failed

pytestmark = pytest.mark.timeout(600)


def of(folder: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_it_ends_with_one_process_and_leaves_nothing(possible: None, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    links = sorted(os.listdir("/sys/class/net"))
    settings = {name: Path("/proc/sys", name).read_text() for name in nodes.HOST_SETTINGS}
    cluster.start(tied=True)
    try:
        assert cluster.running()
        assert len(of(tmp_path)) > 8
        assert sorted(os.listdir("/sys/class/net")) == links
        assert {name: Path("/proc/sys", name).read_text() for name in nodes.HOST_SETTINGS} == settings
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while cluster.running():
            assert time.monotonic() < deadline, "something of it goes on"
            time.sleep(0.1)
        assert of(tmp_path) == []
        assert str(tmp_path) not in Path("/proc/mounts").read_text()
        with pytest.raises(Failed, match="no cluster runs in"):
            cluster.kubectl("get", "nodes")
    finally:
        cluster.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
