"""Pure rules of the booking service: no I/O, no clock, no SQL."""
