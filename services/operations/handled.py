"""What each service handles, by its name."""

from __future__ import annotations

import importlib

from services.chassis.service import Service


def handled_by(service: str) -> Service:
    """The table of a service's app.py; `service` is one of contracts' SERVICES."""
    found: Service = importlib.import_module(f"services.{service}.app").SERVICE
    return found
