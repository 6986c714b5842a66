"""Booking's real handlers, folded by the engine's own Decider, beside the model of payments; and what must always hold.

The rules that drive it are in test_lifecycle_machine.py.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from booking_contracts import payments
from booking_contracts.booking import BookingCommand
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from pydantic import BaseModel

from services.booking.app import SERVICE
from services.booking.model.booking import Booking
from services.booking.model.slots import Slot
from services.booking.model.states import DEAD, FUNDED, INITIAL, TRANSITIONS, State
from services.booking.saga import Saga, Status
from services.booking.work import HistoryItem
from services.chassis.deciding import Decided, Decider
from services.chassis.unit_of_work import Record, Remind, Send
from tests.booking.builders import START, World, a_slot, as_message
from tests.booking.payments_model import Account, Fate

KINDS = {kind.ce_type: kind for kind in payments.COMMANDS}
NEXT_DAY = START + timedelta(days=1)
SETTLED_IN = {State.COMPLETED, State.RESOLVED_REFUNDED, State.RESOLVED_RELEASED, State.RESOLVED_SPLIT}


class WatchedLifecycle(RuleBasedStateMachine):
    """`commands` wait for payments, `events` for booking, `timers` for their instant; `past` are commands once sent."""

    @initialize(approval=st.booleans(), capacity=st.integers(1, 3))
    def begin(self, approval: bool, capacity: int) -> None:
        self.world = World(approval=approval, capacity=capacity)
        self.slots = [self.world.slot, a_slot(self.world.offering, NEXT_DAY)]
        self.world.work.load(self.slots[1])
        self.decided = Decided(self.world.work)
        self.decider = Decider(SERVICE, self.decided)
        self.read = 0
        self.asked: set[UUID] = set()
        self.replies: defaultdict[str, int] = defaultdict(int)
        self.accounts: dict[UUID, Account] = {}
        self.commands: list[payments.PaymentCommand] = []
        self.events: list[BaseModel] = []
        self.timers: list[Remind] = []
        self.past: list[BookingCommand] = []
        self.walks: defaultdict[UUID, list[tuple[State | None, State]]] = defaultdict(list)
        self.numbers: defaultdict[str, list[int | None]] = defaultdict(list)

    # ── What must always hold ─────────────────────────────────────────────────────────────────────

    @invariant()
    def seats_are_those_of_live_bookings(self) -> None:
        for slot in self.slots:
            found = self.world.work.find(Slot, slot.slot_id)
            assert found is not None
            assert found.taken == sum(b.seats for b in self.bookings() if b.slot_id == slot.slot_id and b.occupies)
            assert 0 <= found.taken <= found.capacity

    @invariant()
    def funded_bookings_have_their_money(self) -> None:
        for booking in self.bookings():
            if booking.state in FUNDED:
                account = self.accounts[booking.booking_id]
                assert account.authorized + account.escrow >= booking.price.amount

    @invariant()
    def money_is_conserved_and_released_once(self) -> None:
        for account in self.accounts.values():
            assert min(account.escrow, account.refunded, account.released) >= 0
            assert account.refunded + account.released + account.escrow == account.captured <= account.amount
            state = self.world.booking(account.booking_id).state
            assert not account.released or state in SETTLED_IN or state in DEAD

    @invariant()
    def nothing_goes_back(self) -> None:
        for walk in self.walks.values():
            assert walk[0][0] is None
            assert walk[0][1] in INITIAL
            assert all(after in TRANSITIONS[before] for before, after in walk[1:] if before is not None)
            entered = [after for _, after in walk]
            assert len(entered) == len(set(entered)), "no state is entered twice"

    @invariant()
    def every_command_has_one_reply_and_every_stream_no_gap(self) -> None:
        assert self.replies == {str(message_id): 1 for message_id in self.asked}
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in self.numbers.values())
        assert not self.decided.failed, self.decided.failed[0].error

    def teardown(self) -> None:
        """Days later, everything delivered: no booking waits, and no money is anywhere it should not be."""
        if not hasattr(self, "world") or self.decided.failed:
            return
        for _ in range(20):
            self.world.at(self.world.work.now + timedelta(days=3))
            self.settle_down()
        for booking in self.bookings():
            assert booking.state in (DEAD | SETTLED_IN | {State.DISPUTED})
            account = self.accounts.get(booking.booking_id)
            if account is None:
                continue
            whole = booking.price.amount if booking.state is State.DISPUTED else 0
            assert account.authorized + account.escrow == whole, f"{booking.state} with {account}"
            if booking.state in SETTLED_IN:
                assert account.refunded + account.released == booking.price.amount
            saga = self.world.work.find(Saga, booking.booking_id)
            assert saga is None or saga.status in (Status.DONE, Status.WAITING_FOR_CUSTOMER)

    # ── How ───────────────────────────────────────────────────────────────────────────────────────

    def bookings(self) -> list[Booking]:
        return list(self.world.work.all(Booking)) if hasattr(self, "world") else []

    def due(self) -> list[Remind]:
        return [timer for timer in self.timers if timer.due_at <= self.world.work.now]

    def ask(self, body: BookingCommand) -> None:
        self.past.append(body)
        topic = "booking.admin-commands" if body.actor.kind == "admin" else "booking.commands"
        self.asked.add(self.tell(body, topic))

    def hear(self, body: BaseModel) -> None:
        self.tell(body, "")

    def tell(self, body: BaseModel, topic: str) -> UUID:
        message = as_message(body, topic)
        self.decider.decide(message)
        self.collect()
        return message.id

    def answer(self, booking_id: UUID, fate: Fate) -> None:
        command = next(command for command in self.commands if command.booking_id == booking_id)
        self.commands.remove(command)
        account = self.accounts.setdefault(booking_id, Account(booking_id, command.payment_id))
        self.events += account.handle(command, fate)

    def settle_down(self) -> None:
        """Deliver and answer all there is, timers too."""
        while self.commands or self.events or self.due():
            for timer in self.due():
                self.timers.remove(timer)
                self.hear(timer.body)
            while self.commands:
                self.answer(self.commands[0].booking_id, "authorized")
            while self.events:
                self.hear(self.events.pop(0))

    def collect(self) -> None:
        """Take what the journal has new."""
        journal = self.world.work.journal
        for effect in journal[self.read :]:
            if isinstance(effect, Send) and effect.type in KINDS:
                self.commands.append(KINDS[effect.type].model_validate_json(effect.body))
            elif isinstance(effect, Send) and effect.topic == "booking.replies":
                self.replies[str(effect.cause.id) if effect.cause else ""] += 1
            elif isinstance(effect, Send) and effect.topic == "booking.events":
                self.numbers[effect.key].append(effect.sequence)
            elif isinstance(effect, Remind):
                self.timers.append(effect)
            elif isinstance(effect, Record) and isinstance(effect.row, HistoryItem):
                item = effect.row
                if item.from_state is not item.to_state:
                    self.walks[item.booking_id].append((item.from_state, item.to_state))
        self.read = len(journal)
