ALTER TABLE refund
    ADD COLUMN paid_outside boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT refund_paid_outside_is_done CHECK (NOT paid_outside OR status = 'succeeded');

-- Refunds that an operator has paid by other means: who, how, and the posting. Append-only.
CREATE TABLE refund_paid_outside (
    refund_id      uuid PRIMARY KEY REFERENCES refund,
    transaction_id uuid NOT NULL UNIQUE REFERENCES ledger_transaction,
    at             timestamptz NOT NULL,
    by_whom        text NOT NULL CHECK (by_whom <> ''),
    reference      text NOT NULL CHECK (reference <> '')
);
CREATE TRIGGER refund_paid_outside_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_paid_outside
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
