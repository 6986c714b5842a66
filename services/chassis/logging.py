"""JSON logs, one object a line on standard output, with the ids of what was being done."""

from __future__ import annotations

import logging as standard
import sys

import structlog


def configure(service: str, instance: str, level: str) -> None:
    """Set up structlog and the standard library's logging to write the same JSON lines."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(default=str)],
        wrapper_class=structlog.make_filtering_bound_logger(standard.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = standard.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(default=str), foreign_pre_chain=shared
        )
    )
    standard.basicConfig(handlers=[handler], level="WARNING", force=True)
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
