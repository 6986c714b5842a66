-- Declined payments, for the console's list of them and the count by reason: few of all.
CREATE INDEX payment_declined ON payment (booking_id) WHERE status = 'declined';
