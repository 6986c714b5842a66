-- Living bookings by who comes, by id and by address. Of two that may be there once only, one is refused; for the others
-- the last column is null, and nulls differ.
CREATE UNIQUE INDEX booking_once_by_id
    ON booking (slot_id, (coalesce(attendee_id, customer_id)), (nullif(once_per_customer, false)))
    WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED');
CREATE UNIQUE INDEX booking_once_by_address
    ON booking (slot_id, comer_reading, (nullif(once_per_customer, false)))
    WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED');
-- The first finds the living bookings of a slot as well.
DROP INDEX booking_living_on_slot;
-- How long a payer's tries have held seats.
CREATE INDEX booking_held_by_id ON booking (slot_id, customer_id, held_seconds) WHERE held_seconds > 0;
CREATE INDEX booking_held_by_address ON booking (slot_id, payer_reading, held_seconds) WHERE held_seconds > 0;
