-- What a lost chargeback took, and what of a settlement it made up: given back when the bank changes its mind.
ALTER TABLE chargeback
    ADD COLUMN covered_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN owed_minor    bigint NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN made_up_minor bigint NOT NULL DEFAULT 0;
-- What is noted for a person may be of nobody that our rows know.
ALTER TABLE reconciliation DROP CONSTRAINT reconciliation_of_somebody;

-- From before, by the postings of those that were lost.
WITH took AS (
    SELECT d.dispute_id,
           coalesce(sum(-e.amount_minor) FILTER (WHERE e.account ~ '^(escrow|wallet):'), 0)::bigint AS covered_minor,
           coalesce(sum(-e.amount_minor) FILTER (WHERE e.account ~ '^refund:.*:owed$'), 0)::bigint AS owed_minor
    FROM chargeback d
         JOIN ledger_entry of_dispute ON of_dispute.account = 'chargeback:' || d.dispute_id
         JOIN ledger_transaction t ON t.transaction_id = of_dispute.transaction_id AND t.cause = 'chargeback lost'
         JOIN ledger_entry e ON e.transaction_id = t.transaction_id
    WHERE d.outcome = 'lost'
    GROUP BY d.dispute_id
)
UPDATE chargeback c SET covered_minor = took.covered_minor, owed_minor = took.owed_minor
FROM took WHERE took.dispute_id = c.dispute_id;
