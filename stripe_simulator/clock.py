"""The simulator's clock: real time plus an offset that another process may move."""

import mmap
import struct
import time
from pathlib import Path

_OFFSET = struct.Struct("<q")


class Clock:
    """Seconds since the Unix epoch, shifted by the offset file and never going backwards.

    The offset file holds one little-endian signed 64-bit integer: seconds to add to real time. It is mapped
    once and read at every call, so a writer in another process is seen at once.

    Raises ValueError when the file is shorter than eight bytes.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._latest = 0.0
        self._offset: mmap.mmap | None = None
        if offset_file is not None:
            with offset_file.open("rb") as file:
                if offset_file.stat().st_size < _OFFSET.size:
                    raise ValueError(f"{offset_file} must hold 8 bytes: write a little-endian int64 offset to it")
                self._offset = mmap.mmap(file.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)

    def now(self) -> float:
        """Seconds since the epoch; at least as late as every earlier answer."""
        instant = time.time()
        if self._offset is not None:
            instant += _OFFSET.unpack_from(self._offset)[0]
        if instant < self._latest:
            return self._latest
        self._latest = instant
        return instant

    def may_go_back(self) -> None:
        """Once: the next answer is taken as it is."""
        self._latest = 0.0
