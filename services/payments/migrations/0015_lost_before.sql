-- What chargebacks took that were lost before, by their postings.
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
