"""What each service can be asked over HTTP, and the models of its answers (contract.md, HTTP).

generated/openapi/<service>.json is written of it, which the service shows at `/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Mapping

from booking_contracts.http import booking, every_service, notifications, payments
from booking_contracts.http.operation import Operation

SERVICES: Mapping[str, tuple[Operation, ...]] = {
    "booking": (*booking.OPERATIONS, *every_service.OPERATIONS),
    "payments": (*payments.OPERATIONS, *every_service.OPERATIONS),
    "notifications": (*notifications.OPERATIONS, *every_service.OPERATIONS),
}
