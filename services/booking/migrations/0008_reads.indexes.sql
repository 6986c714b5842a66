CREATE INDEX booking_by_customer ON booking (customer_id, state, booking_id);
CREATE INDEX booking_by_customer_and_start ON booking (customer_id, state, starts_at, booking_id);
CREATE INDEX booking_by_provider ON booking (provider_id, state, booking_id);
CREATE INDEX booking_by_provider_and_start ON booking (provider_id, state, starts_at, booking_id);
CREATE INDEX booking_by_slot ON booking (slot_id, state, booking_id);
DROP INDEX booking_of_customer;
DROP INDEX booking_of_provider;
DROP INDEX booking_on_slot;
