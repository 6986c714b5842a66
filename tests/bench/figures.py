"""Figures of a run by one name each: `cpu_ms_per_saga` by process becomes `cpu_ms_per_saga.booking-1` and so on."""

from __future__ import annotations

from collections.abc import Mapping


def flat(figures: Mapping[str, object]) -> dict[str, float]:
    """Every number that is in there, in its order."""
    found: dict[str, float] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": number for inner, number in flat(value).items()}
        elif isinstance(value, int | float):
            found[name] = float(value)
    return found
