"""Everything that is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from services.operations.auditor import agreement, histories, ledger, lingering, seats, sending, streams, stripes
from services.operations.auditor.check import Lingering, Walk
from services.operations.auditor.findings import Kind

WALKS: tuple[Walk, ...] = (agreement.CHECK, seats.CHECK, *ledger.CHECKS, histories.CHECK, streams.CHECK)
LINGERING: tuple[Lingering, ...] = (*lingering.CHECKS, *sending.CHECKS, stripes.CHECK, streams.GAPS)
CHECKS: tuple[Walk | Lingering, ...] = (*WALKS, *LINGERING)
BY_KIND: Mapping[Kind, Walk | Lingering] = {kind: check for check in CHECKS for kind in check.kinds}
