-- The letters about a booking or waitlist entry, among all that were sent since yesterday.
CREATE INDEX gateway_call_of_key ON gateway_call (key);
