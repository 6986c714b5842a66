"""JSON as the simulator writes it: one prepared encoder, because this runs for every answer and webhook."""

import json

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON."""
    return _ENCODER.encode(value).encode()
