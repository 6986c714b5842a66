-- Who comes when the place in the line becomes a booking.
ALTER TABLE waitlist_contact ADD COLUMN attendee jsonb;

-- When somebody who held nothing on the slot was last refused for lack of seats.
ALTER TABLE slot ADD COLUMN wanted_at timestamptz;

-- Whether who comes may be on the slot once only; for how long the payer's unpaid tries have held seats there; digests of
-- the payer's and of the comer's address, by which the same person is known under another id.
ALTER TABLE booking
    ADD COLUMN once_per_customer boolean NOT NULL DEFAULT false,
    ADD COLUMN held_seconds bigint NOT NULL DEFAULT 0,
    ADD COLUMN payer_reading uuid,
    ADD COLUMN comer_reading uuid;
