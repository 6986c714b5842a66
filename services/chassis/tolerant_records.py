"""Reads what a batch of Kafka's holds beside a record that the library cannot decode (decisions/0004).

aiokafka gives a batch up with its first such record (a header whose name is not UTF-8), and with it the good ones that
the same producer sent behind it. While somebody looks for it, batches are read record by record: one that cannot be
decoded comes as a record without content, with an `Undecodable` for its only header.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint


@dataclass(frozen=True, slots=True)
class Undecodable:
    """In the place of a record's headers: why it could not be decoded."""

    reason: str


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _read_msg(self) -> Any:
        try:
            return super()._read_msg()
        except Exception as error:
            length, begin = decode_varint(self._buffer, self._pos)  # type: ignore[has-type]
            _attributes, place = decode_varint(self._buffer, begin)
            _timestamp, place = decode_varint(self._buffer, place)
            delta, _ = decode_varint(self._buffer, place)
            self._pos = begin + length
            return _DefaultRecordPy(self.base_offset + delta, -1, 0, None, None, [Undecodable(repr(error))])


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self) -> Any:
        here = self._next_slice
        batch = super().next_batch()
        return batch if batch is None or here[self.MAGIC_OFFSET] < 2 else _Batch(here)


@contextmanager
def tolerant_records() -> Iterator[None]:
    """What is fetched meanwhile is read so; what was fetched before is not."""
    strict = fetcher.MemoryRecords
    fetcher.MemoryRecords = _Records
    try:
        yield
    finally:
        fetcher.MemoryRecords = strict
