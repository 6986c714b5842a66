"""`python -m tests.notifications.dying_worker <database> <port>`: hands over open letters, and is killed by itself
(kill -9) when the mail server has taken the first one and no row says so yet."""

from __future__ import annotations

import asyncio
import sys

from deploy.local.crashing import crash_at
from services.chassis import crash_points
from services.chassis.clock import SystemClock
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.gateway_worker import GatewayWorker
from services.notifications.gateway import MailGateway
from services.notifications.sender import SmtpSender


async def main(database: str, port: int) -> None:
    crash_points.on_reaching(crash_at(Point.AFTER_ANSWER))
    sender = SmtpSender(host="127.0.0.1", port=port, local_hostname="client.example.org")
    gateway = MailGateway(sender, "no-reply@example.org", SystemClock())
    await GatewayWorker(gateway, Session(database, "dying"), lambda: None).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
