-- What operators look for: a payment by its own id, refunds that are under way.
CREATE INDEX payment_by_id ON payment (payment_id);
CREATE INDEX refund_pending ON refund (booking_id, number) WHERE status = 'pending';
