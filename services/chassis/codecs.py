"""What the Kafka library can unpack. A codec that is missing shows itself only with the first record that needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiokafka import codec

_HAS: Mapping[str, Callable[[], bool]] = {
    "gzip": codec.has_gzip,
    "lz4": codec.has_lz4,
    "snappy": codec.has_snappy,
    "zstd": codec.has_zstd,
}


def codecs_missing() -> list[str]:
    """The codecs of Kafka that the installed aiokafka lacks; with `aiokafka[lz4,snappy,zstd]` there are none."""
    return [name for name, has in _HAS.items() if not has()]
