"""`python -m deploy.local hold`: a stack that lasts as long as whoever asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.__main__ import main
from deploy.local.layout import Layout


def asker_is_gone(holder: subprocess.Popen[bytes]) -> None:
    """As when it was killed: its end of the pipe is closed."""
    assert holder.stdin is not None
    holder.stdin.close()


@pytest.mark.requirement("testkit")
@pytest.mark.parametrize("end", [asker_is_gone, subprocess.Popen.terminate])
def test_nothing_is_left_when_it_ends(
    end: Callable[[subprocess.Popen[bytes]], None], checkout: Path, tmp_path: Path
) -> None:
    root = tmp_path / "stack"
    command = [sys.executable, "-m", "deploy.local", "hold", "--without-services", "--fast", "--root", str(root)]
    with subprocess.Popen(command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        told = holder.stdout.readline().decode().strip()
        used = Layout.load(root).ports
        answered = [name for name in ("postgres", "kafka", "mailbox") if ports.answers_tcp(used[name])]

        end(holder)

        holder.wait()
    assert (told, answered) == (str(root / "stack.env"), ["postgres", "kafka", "mailbox"])
    assert [name for name, port in used.items() if ports.answers_tcp(port)] == []
    assert not root.exists()


def test_it_does_not_take_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()

    with pytest.raises(SystemExit, match="name another --root"):
        main(["hold", "--root", str(tmp_path)])

    assert (tmp_path / "somebody's").exists()


def test_it_chooses_its_ports_from_a_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "SHARE", ports.SHARE)

    with pytest.raises(SystemExit):
        main(["status", "--root", str(tmp_path), "--share", "1/3"])

    assert slice(1, None, 3) == ports.SHARE
