"""Everything that is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from services.operations.auditor import (
    agreement,
    histories,
    ledger,
    lingering,
    seats,
    sending,
    streams,
    stripe_findings,
)
from services.operations.auditor.check_types import Lingering, Walk
from services.operations.auditor.findings import Kind

WALKS: tuple[Walk, ...] = (agreement.CHECK, seats.CHECK, *ledger.CHECKS, histories.CHECK, streams.CHECK)
LINGERING: tuple[Lingering, ...] = (*lingering.CHECKS, *sending.CHECKS, stripe_findings.CHECK, streams.GAPS)
CHECKS: tuple[Walk | Lingering, ...] = (*WALKS, *LINGERING)
BY_KIND: Mapping[Kind, Walk | Lingering] = {kind: check for check in CHECKS for kind in check.kinds}
