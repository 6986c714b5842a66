"""`python -m tests.notifications.dying <database> <now>`: a worker that kills itself when the first answer has come."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from deploy.local.crashing import crash_at
from services.chassis import crash_points
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.notifications.subscriptions.posting import Poster
from services.notifications.subscriptions.worker import SubscriptionWorker
from tests.chassis.harness import SetClock
from tests.notifications.receivers import HERE

if __name__ == "__main__":
    database, now = sys.argv[1:]
    crash_points.on_reaching(crash_at(Point.AFTER_ANSWER.value))
    clock = SetClock(datetime.fromisoformat(now))
    asyncio.run(SubscriptionWorker(Session(database, "dying"), Poster(HERE), clock).run())
