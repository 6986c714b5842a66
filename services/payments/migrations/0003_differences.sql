-- A line of the reconciler's record is about a booking or about a customer's wallet; a report is open until it ends.
ALTER TABLE reconciliation
    ALTER COLUMN booking_id DROP NOT NULL,
    ADD COLUMN customer_id text,
    ADD COLUMN ended_at    timestamptz,
    ADD COLUMN ended       text,
    ADD CONSTRAINT reconciliation_of_somebody CHECK (num_nonnulls(booking_id, customer_id) = 1),
    ADD CONSTRAINT reconciliation_ended CHECK ((ended_at IS NULL) = (ended IS NULL));
UPDATE reconciliation SET ended_at = at, ended = 'reported before' WHERE repair = 'report' AND line NOT IN (
    SELECT min(line) FROM reconciliation WHERE repair = 'report' GROUP BY payment_intent);
CREATE UNIQUE INDEX reconciliation_open ON reconciliation (payment_intent) WHERE repair = 'report' AND ended_at IS NULL;

-- The last round, in real time: when it ended and how many PaymentIntents and payments it looked at.
ALTER TABLE reconciled_until
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN compared integer NOT NULL DEFAULT 0;
