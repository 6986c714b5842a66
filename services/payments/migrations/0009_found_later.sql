-- Rows that wait for the result of a call to Stripe: few at any time (lost_results.py).
CREATE INDEX payment_calling ON payment (booking_id) WHERE calling IS NOT NULL;
CREATE INDEX refund_calling ON refund (refund_id) WHERE calling;
CREATE INDEX chargeback_calling ON chargeback (dispute_id) WHERE calling;
CREATE INDEX payout_pending ON payout (payout_id) WHERE status = 'pending';
CREATE INDEX top_up_pending ON top_up (command_id) WHERE status = 'pending';
CREATE INDEX withdrawal_part_pending ON withdrawal_part (command_id) WHERE status = 'pending';
CREATE INDEX gateway_call_of_subject ON gateway_call USING hash (subject);

-- An object of ours that Stripe does not know is noted once.
CREATE UNIQUE INDEX reconciliation_missing ON reconciliation (payment_intent) WHERE repair = 'missing';

-- A provider's earnings without a payout account are a payout that waits for one.
ALTER TABLE payout
    ALTER COLUMN account DROP NOT NULL,
    ADD COLUMN reversed_minor bigint NOT NULL DEFAULT 0 CHECK (reversed_minor BETWEEN 0 AND amount_minor),
    DROP CONSTRAINT payout_status_check,
    ADD CONSTRAINT payout_status_check CHECK (status IN ('pending', 'paid', 'failed', 'parked', 'no_account')),
    ADD CONSTRAINT payout_has_account CHECK ((status = 'no_account') = (account IS NULL));
CREATE INDEX payout_no_account ON payout (provider_id, payout_id) WHERE status = 'no_account';
WITH waiting AS (
    UPDATE payment SET payouts = 1
    WHERE payouts = 0 AND payout_account IS NULL AND released_minor > commission_minor
    RETURNING booking_id, attempt, provider_id, released_minor - commission_minor AS amount_minor, currency
)
INSERT INTO payout (payout_id, booking_id, number, attempt, provider_id, amount_minor, currency, status, tries)
SELECT gen_random_uuid(), booking_id, 1, attempt, provider_id, amount_minor, currency, 'no_account', 0 FROM waiting;
