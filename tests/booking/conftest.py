"""Rules are tested by the thousand: debug lines of every decision would cost more than the decisions."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet() -> Iterator[None]:
    """Warnings and worse alone, as in production."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()
