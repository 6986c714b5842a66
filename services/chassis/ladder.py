"""What happens to a batch until all of it is committed: the one ladder for every failure (engine.md, The ladder).

Again, with a back-off → halve → alone: set aside without loading it. Where the reason may pass (a row is locked, a
time limit was met, another transaction was in the way, a newer build wrote a row), a message that is alone waits as a
row behind its key instead, and a command that has waited for 3 s is answered TOO_BUSY.

Outside of it stand: no database (PutDown: the batch is read again when there is one), a wrong schema or missing rights
(Broken: the service stops), and records that another replica has handled (Fenced: the batch is dropped).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence

import structlog

from services.chassis import metrics
from services.chassis.batch import BatchRunner, Committed
from services.chassis.database import Session
from services.chassis.deciding import Verdict
from services.chassis.failures import Broken, Failure, backoff_seconds, classify, has_no_room
from services.chassis.messages import Raw

log = structlog.get_logger()
AGAIN = {Failure.MESSAGE: 1, Failure.CONFLICT: 5, Failure.AWAY: 2}
"""How often the same part is tried again before it is halved; a lock is tried again while a peer is at work."""
HASTY_MS = 10
"""How long a row's lock is waited for while some row is known to be held by a stranger; usually it is database.BATCH's
time."""
HASTE_SECONDS = 5.0
PEER_TRIES = 20
ALONE_AT_ONCE = 16
"""Messages of one batch that are looked for by halving; what is left then waits together and is sorted out later."""
KEYS_IN_A_ROUND, WAITING_IN_A_ROUND = 32, 8
"""How much of a round goes to rows that had to wait before: what is left is found again in the next."""
REMEMBERED = 10_000


class PutDown(Exception):
    """The batch cannot be handled now, through no fault of its own: it is read again."""


class Ladder:
    """Settles one batch at a time. `settled` is told of every part as soon as it is committed."""

    def __init__(
        self, runner: BatchRunner, session: Session, settled: Callable[[Sequence[Raw], Committed], None]
    ) -> None:
        self._runner, self._session, self._settled = runner, session, settled
        self._hasty_until = 0.0
        self._alone = 0
        self._waiting: dict[bytes | None, None] = {}
        """Keys with rows that had to wait: tried by themselves, so that nobody waits for them once more."""

    async def settle(self, batch: Sequence[Raw]) -> None:
        """All of it. Raises PutDown, Fenced or Broken; parts that are committed by then stay so."""
        self._alone = 0
        apart = [raw for raw in batch if raw.row is not None and raw.key in self._waiting]
        await self._climb([raw for raw in batch if raw.row is None or raw.key not in self._waiting])
        await self._try_waiting(apart)

    async def _climb(self, part: Sequence[Raw]) -> None:
        tries = 0
        while part:
            try:
                await self._commit(part)
            except Exception as error:
                failure = await self._seen(error)
                if await self._again(failure, tries):
                    tries += 1
                    continue
                if len(part) == 1 or self._alone >= ALONE_AT_ONCE:
                    await self._set_aside(part, Verdict(failure, error))
                else:
                    middle = len(part) // 2
                    await self._climb(part[:middle])
                    await self._climb(part[middle:])
            return

    async def _commit(self, part: Sequence[Raw], verdict: Verdict | None = None) -> None:
        hasty = time.monotonic() < self._hasty_until
        committed = await self._runner.run(part, verdict=verdict, lock_timeout_ms=HASTY_MS if hasty else None)
        self._settled(part, committed)

    async def _seen(self, error: Exception) -> Failure:
        """Which failure it is, for the rungs; raises what stands outside of the ladder."""
        failure = classify(error)
        metrics.batch_failures.labels(failure).inc()
        log.warning("batch failed", failure=failure, error=repr(error))
        if failure is Failure.BROKEN:
            raise error if isinstance(error, Broken) else Broken(f"the database does not fit this build: {error!r}")
        if failure is Failure.FENCED:
            raise error
        if failure is Failure.AWAY:
            await self._session.close()
            if has_no_room(error) or not await self._database_answers():
                raise PutDown(repr(error)) from error
        return failure

    async def _again(self, failure: Failure, tries: int) -> bool:
        if failure is Failure.LOCKED:
            if tries < PEER_TRIES and await self._peer_is_at_work():
                return True
            self._hasty_until = time.monotonic() + HASTE_SECONDS
            return False
        if tries >= AGAIN.get(failure, 0):
            return False
        await asyncio.sleep(backoff_seconds(tries, first=0.02, most=0.5))
        return True

    async def _set_aside(self, part: Sequence[Raw], verdict: Verdict) -> None:
        """The last rung: the one message is set aside, or waits where its failure may pass.

        A part of more than one waits: not all of it is at fault, and that is sorted out when it is tried again.
        """
        if not verdict.failure.passes and (verdict.failure is not Failure.MESSAGE or len(part) > 1):
            verdict = Verdict(Failure.OVERTIME, verdict.error)
        if verdict.failure.passes:
            self._remember(part)
        self._alone += 1
        try:
            await self._commit(part, verdict)
        except Exception as error:
            if await self._seen(error) is not Failure.MESSAGE:
                raise PutDown(repr(error)) from error
            if len(part) > 1:
                for raw in part:
                    await self._set_aside([raw], verdict)
            else:
                await self._pass_over(part[0], error)

    async def _pass_over(self, raw: Raw, error: Exception) -> None:
        log.critical("message cannot be kept, it is passed over", topic=raw.topic, offset=raw.offset, error=repr(error))
        try:
            await self._runner.pass_over(raw, error)
        except Exception as again:
            await self._seen(again)
            raise PutDown(repr(again)) from again
        self._settled([raw], Committed())

    async def _try_waiting(self, apart: Sequence[Raw]) -> None:
        """Rows of keys that wait, key by key in any order; a few that still have to wait end the round."""
        groups: dict[bytes | None, list[Raw]] = {}
        for raw in apart:
            groups.setdefault(raw.key, []).append(raw)
        still_waiting = 0
        for key in random.sample(list(groups), min(len(groups), KEYS_IN_A_ROUND)):
            try:
                await self._commit(groups[key])
            except Exception as error:
                failure = await self._seen(error)
                if not failure.passes:
                    await self._climb(groups[key])
                    continue
                await self._set_aside(groups[key], Verdict(failure, error))
                still_waiting += 1
                if still_waiting == WAITING_IN_A_ROUND:
                    return
            else:
                self._waiting.pop(key, None)

    def _remember(self, part: Sequence[Raw]) -> None:
        self._waiting.update(dict.fromkeys(raw.key for raw in part))
        while len(self._waiting) > REMEMBERED:
            del self._waiting[next(iter(self._waiting))]

    async def _database_answers(self) -> bool:
        return await self._ask("SELECT true")

    async def _peer_is_at_work(self) -> bool:
        """Whether the lock may be that of another replica's batch, which ends soon; not one that waits itself."""
        return await self._ask(PEER_IS_AT_WORK)

    async def _ask(self, query: str) -> bool:
        try:
            return bool(await (await self._session.connection()).fetchval(query))
        except Exception:
            await self._session.close()
            return False


PEER_IS_AT_WORK = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE '%-batch'
      AND xact_start < clock_timestamp() - interval '50 ms' AND wait_event_type IS DISTINCT FROM 'Lock')
"""
