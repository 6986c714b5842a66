"""What must hold after a siege: pure functions from an Aftermath to violations, each naming kinds and ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.faults import checks as usual
from tests.faults.seat_checks import seats, waitlist
from tests.faults.stream_checks import one_reply, order, tail
from tests.hostile.facts import Aftermath
from tests.hostile.ordinary import PATIENCE_SECONDS
from tests.hostile.records import Due, Sent
from tests.hostile.settings import P99_SECONDS

MOST_GROWTH_MIB = 250
USUAL = (
    order,
    tail,
    one_reply,
    seats,
    waitlist,
    usual.history,
    usual.money_once,
    usual.sagas,
    usual.ledger,
    usual.payments_are_stripes,
    usual.bookings_are_paid,
    usual.at_rest,
)


def processes(found: Aftermath) -> list[str]:
    """No process ended, whether or not it came back."""
    return [f"{name} ended" for name in found.ended]


def ordinary_answered(found: Aftermath) -> list[str]:
    """Every ordinary command has its reply, and every ordinary booking its confirmation."""
    wrong = [f"an ordinary {asked.name} was not answered" for asked in found.asked if asked.seconds is None]
    return wrong + [f"ordinary booking {booking_id} was not confirmed" for booking_id in found.unconfirmed]


def ordinary_served(found: Aftermath) -> list[str]:
    """Nothing ordinary is refused: what the hostile do is theirs alone."""
    return [f"an ordinary {asked.name} was refused: {asked.refused}" for asked in found.asked if asked.refused]


def ordinary_speed(found: Aftermath) -> list[str]:
    """One ordinary command in a hundred may take longer than the bound."""
    p99 = percentile([asked.seconds for asked in found.asked if asked.seconds is not None], 0.99)
    return [f"p99 of ordinary commands is {p99:.2f} s, allowed {P99_SECONDS} s"] if p99 > P99_SECONDS else []


def ordinary_unmoved(found: Aftermath) -> list[str]:
    """Rows that somebody holds slow down those who need them: not the others, beyond a try or two."""
    slow = {True: [0.0], False: [0.0]}
    for asked in found.asked:
        locked = any(since <= asked.began < until for since, until in found.locked)
        slow[locked].append(PATIENCE_SECONDS if asked.seconds is None else asked.seconds)
    during, otherwise = (percentile(slow[locked], 0.5) for locked in (True, False))
    bound = 2 + 3 * otherwise
    return [f"p50 is {during:.2f} s while rows are locked, {otherwise:.2f} s otherwise"] if during > bound else []


def answered_once(found: Aftermath) -> list[str]:
    """A command whose id can be read is answered exactly once; repeated ids count once."""
    return _each(found, Due.REPLY, lambda sent: _times(len(found.replies.get(sent.record.id or "", ()))))


def set_aside(found: Aftermath) -> list[str]:
    """What names nobody to answer is a dead letter under its place."""
    kept = _kept_or_counted(found)
    return _each(found, Due.LETTER, lambda sent: None if kept(sent) else "was not set aside")


def accounted_for(found: Aftermath) -> list[str]:
    """Where the contract leaves open which: answered once, or set aside."""

    kept = _kept_or_counted(found)

    def problem(sent: Sent) -> str | None:
        ids = {sent.record.id or "", *sent.record.also}
        replies = sum(len(found.replies.get(one, ())) for one in ids)
        return None if replies == 1 or (not replies and kept(sent)) else f"has {replies} replies, no letter"

    return _each(found, Due.SOMETHING, problem)


def left_alone(found: Aftermath) -> list[str]:
    """What was aborted, or is of a type that nobody knows, leads to nothing."""

    def problem(sent: Sent) -> str | None:
        if found.replies.get(sent.record.id or ""):
            return "was acted upon"
        return "was set aside" if found.places[sent.place] else None

    return _each(found, Due.NOTHING, problem)


def no_breach(found: Aftermath) -> list[str]:
    """Nobody is told yes about what is not theirs."""
    return [
        f"{sent.record.kind}: {sent.record.id} was accepted"
        for sent in found.sent
        if not sent.record.may_be_accepted and sent.record.id in found.accepted
    ]


def faults_of_ours(found: Aftermath) -> list[str]:
    """No handler failed, other than on what was planted or came as if from a peer."""
    allowed = blockable(found)
    return [
        f"{letter.service} failed on {letter.place}: {letter.error[-200:]}"
        for letter in found.letters
        if letter.kind == "failed" and letter.key not in allowed
    ]


def planted_rows(found: Aftermath) -> list[str]:
    """A planted row that cannot be read is set aside; one of an unknown type waits for a build that knows it."""
    keys = {(letter.service, letter.key) for letter in found.letters}
    wrong = []
    for row in found.planted:
        if row.waits and row.key not in found.waiting_rows:
            wrong.append(f"{row.service}: the row planted with {row.what} is gone")
        if not row.waits and (row.service, row.key) not in keys:
            wrong.append(f"{row.service}: the row planted with {row.what} was not set aside")
    return wrong


def memory(found: Aftermath) -> list[str]:
    """No process keeps what it met."""
    return [
        f"{name} grew from {one.before} to {one.after} MiB"
        for name, one in found.memory.items()
        if one.after - one.before > MOST_GROWTH_MIB
    ]


CHECKS: tuple[Callable[[Aftermath], list[str]], ...] = (
    processes,
    ordinary_answered,
    ordinary_served,
    ordinary_speed,
    ordinary_unmoved,
    answered_once,
    set_aside,
    accounted_for,
    left_alone,
    no_breach,
    faults_of_ours,
    planted_rows,
    memory,
)


def violations(found: Aftermath) -> list[str]:
    """Everything that is wrong, named by its check."""
    wrong = [f"{check.__name__}: {problem}" for check in CHECKS for problem in check(found)]
    return wrong + [f"{check.__name__}: {problem}" for check in USUAL for problem in check(found.facts)]


def blockable(found: Aftermath) -> set[str]:
    """Keys that may be blocked at the end: of planted rows, and of what a broken peer sent."""
    peers = {
        (sent.record.key or b"").decode("utf-8", "replace") for sent in found.sent if sent.record.due is Due.ANYTHING
    }
    return peers | {row.key for row in found.planted if not row.waits}


def percentile(seconds: Iterable[float], share: float) -> float:
    """The value that this share does not exceed; 0 where there is none."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _each(found: Aftermath, due: Due, problem: Callable[[Sent], str | None]) -> list[str]:
    return [
        f"{sent.record.kind}: {sent.record.id or sent.place} on {sent.record.topic} {wrong}"
        for sent in found.sent
        if sent.record.due is due and (wrong := problem(sent))
    ]


def _kept_or_counted(found: Aftermath) -> Callable[[Sent], bool]:
    """Whether a record is a dead letter under its place, or one of those that its partition only counts."""
    counted = found.only_counted()

    def kept(sent: Sent) -> bool:
        if found.places[sent.place]:
            return True
        topic, partition, _ = sent.place
        counted[topic, partition] -= 1
        return counted[topic, partition] >= 0

    return kept


def _times(replies: int) -> str | None:
    return None if replies == 1 else f"has {replies} replies"
