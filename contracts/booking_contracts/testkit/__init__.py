"""What another team needs to test against the booking system: sample commands, a clock that moves, and the client.

from booking_contracts.testkit import people, sample
from booking_contracts.testkit.clock import MovableClock
"""
