"""A disk of its own, and small, for one service's database: a tmpfs that a ballast file fills. Needs root."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import asyncpg

from deploy.local.concurrently import concurrently
from deploy.local.postgres import UNPRIVILEGED_ID
from deploy.local.stack import Stack

SIZE_MIB = 384
CHUNK = b"\0" * (1 << 20)


class NoDisk(Exception):
    """A tmpfs cannot be mounted here; the message says why."""


class Disk:
    """Mounted and the database moved to it when made; `free` and `unmount` undo both halves."""

    def __init__(self, stack: Stack, service: str) -> None:
        """Raises NoDisk."""
        self._stack, self._service = stack, service
        if os.geteuid() != 0:
            raise NoDisk("only root may mount; run the long form as root (CI does) to fill a disk too")
        self._at = Path(tempfile.mkdtemp(prefix="booking-disk-", dir="/tmp"))  # where PostgreSQL's user can go
        options = f"size={SIZE_MIB}m,uid={UNPRIVILEGED_ID},mode=0700"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._at)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            self._at.rmdir()
            raise NoDisk(f"mounting a tmpfs failed: {done.stderr}")
        self._move()

    def _move(self) -> None:
        """The database has to be without users for a moment."""
        replicas = [name for name in self._stack.names if name.startswith(f"{self._service}-")]
        concurrently(self._stack.stop_process, replicas)
        asyncio.run(self._move_database())
        concurrently(self._stack.start_process, replicas)

    async def _move_database(self) -> None:
        admin = await asyncpg.connect(self._stack.env["POSTGRES_ADMIN_URL"])
        try:
            name = f"small_{self._service}"
            await admin.execute(f"CREATE TABLESPACE {name} LOCATION '{self._at}'")
            await admin.execute(f"ALTER DATABASE {self._service} SET TABLESPACE {name}")
        finally:
            await admin.close()

    def fill(self) -> None:
        """Not a byte is left. Tables that have to grow, cannot."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(CHUNK):
                pass
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while file.write(CHUNK[:4096]):
                pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Once PostgreSQL is down."""
        subprocess.run(["umount", "--lazy", str(self._at)], check=False)
        self._at.rmdir()

    @property
    def _ballast(self) -> Path:
        return self._at / "ballast"
