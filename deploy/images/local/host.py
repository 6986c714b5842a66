"""An image made of what this Debian host has installed: nothing is downloaded, nothing is built."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from booking_contracts.testkit.containers.images import STANDS_IN_FOR

UNREAD = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/lintian/", "/usr/share/locale/", "/usr/share/bug/")
ALWAYS = ("/bin", "/sbin", "/lib", "/lib64", "/tmp")


@dataclass(frozen=True)
class HostImage:
    """`packages` of Debian; `trees`, more files and directories: path in the image → where they are on the host.

    `homes` are directories that a user of the image writes to: path → user id. `changes` are lines of a Dockerfile.
    """

    name: str
    packages: Collection[str]
    changes: Sequence[str]
    trees: Mapping[str, Path] = field(default_factory=dict)
    homes: Mapping[str, int] = field(default_factory=dict)

    def make(self, docker: Sequence[str], stands_in_for: str) -> None:
        """Import it; its label names the ordinary image.

        Raises subprocess.CalledProcessError where a package is missing or the engine refuses.
        """
        files = sorted(files_of(self.packages))
        changes = [*self.changes, f"LABEL {STANDS_IN_FOR}={stands_in_for}"]
        command = [*docker, "import", *(part for line in changes for part in ("--change", line)), "-", self.name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as importing:
            assert importing.stdin is not None
            with tarfile.open(mode="w|", fileobj=importing.stdin) as archive:
                for path in files:
                    archive.add(path, recursive=False)
                for path, tree in self.trees.items():
                    archive.add(tree, path, filter=_roots)
                for path, user in self.homes.items():
                    archive.addfile(_directory(path, user))
        if importing.returncode:
            raise subprocess.CalledProcessError(importing.returncode, command)


def files_of(packages: Collection[str]) -> set[str]:
    """Every file and link of installed packages, and of ALWAYS, by its real path.

    Raises subprocess.CalledProcessError where one of the packages is not installed.
    """
    listed = subprocess.run(["dpkg", "-L", *packages], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = set()
    for path in (*listed.splitlines(), *ALWAYS):
        if path.startswith("/") and not f"{path}/".startswith(UNREAD):
            real = Path(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if real.is_symlink() or real.is_file() or path in ALWAYS:
                found.add(str(real))
    return found


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _directory(path: str, user: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, user, user
    return entry
