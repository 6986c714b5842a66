"""Reads what a batch of Kafka's holds beside a record that the library cannot decode (decisions/0004).

aiokafka gives a batch up with its first such record (a header whose name is not UTF-8), and with it the good ones that
the same producer sent behind it. Here it comes as a record without content, with an `Undecodable` for its only header,
and those behind it come too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint


class Undecodable(NamedTuple):
    """In the place of a record's headers: why it could not be decoded."""

    name: str
    reason: bytes


class _Careful(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch record by record, in Python."""

    def _read_msg(self) -> Any:
        try:
            return super()._read_msg()
        except Exception as error:
            length, begin = decode_varint(self._buffer, self._pos)  # type: ignore[has-type]
            _attributes, place = decode_varint(self._buffer, begin)
            _timestamp, place = decode_varint(self._buffer, place)
            delta, _ = decode_varint(self._buffer, place)
            self._pos = begin + length
            why = Undecodable("undecodable", repr(error).encode())
            return _DefaultRecordPy(self.base_offset + delta, -1, 0, None, None, [why])


class _Batch:
    """A batch as the library reads it, and carefully from the first record on that it cannot read."""

    def __init__(self, batch: Any, content: memoryview) -> None:
        self._batch, self._content = batch, content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield record
        except Exception:
            yield from islice(_Careful(self._content), read, None)


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self) -> Any:
        content = self._next_slice
        batch = super().next_batch()
        plain = batch is None or content[self.MAGIC_OFFSET] < 2 or batch.is_control_batch
        return batch if plain else _Batch(batch, content)


def read_tolerantly() -> None:
    """From now on every consumer of this process reads so. May be called again."""
    fetcher.MemoryRecords = _Records
