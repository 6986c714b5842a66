"""A narrated run of real bookings through the whole system."""
