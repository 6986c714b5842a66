-- Rows that wait for the result of a call to Stripe: few at any time (reconciliation/lost_results.py).
CREATE INDEX payment_calling ON payment (booking_id) WHERE calling IS NOT NULL;
CREATE INDEX refund_calling ON refund (refund_id) WHERE calling;
CREATE INDEX chargeback_calling ON chargeback (dispute_id) WHERE calling;
CREATE INDEX payout_pending ON payout (payout_id) WHERE status = 'pending';
CREATE INDEX top_up_pending ON top_up (command_id) WHERE status = 'pending';
CREATE INDEX withdrawal_part_pending ON withdrawal_part (command_id) WHERE status = 'pending';
CREATE INDEX gateway_call_of_subject ON gateway_call USING hash (subject);
-- An object of ours that Stripe does not know is noted once.
CREATE UNIQUE INDEX reconciliation_missing ON reconciliation (payment_intent) WHERE repair = 'missing';
CREATE INDEX payout_no_account ON payout (provider_id, payout_id) WHERE status = 'no_account';
-- What was noted of late.
CREATE INDEX reconciliation_noted ON reconciliation (at) WHERE repair IN ('missing', 'reversal');
