-- What was refunded by hand before, and no settlement has counted yet, by its postings.
WITH taken AS (
    SELECT d.booking_id, sum(-e.amount_minor)::bigint AS minor
    FROM dashboard_refund d
         JOIN ledger_entry e ON e.account = 'escrow:' || d.booking_id
         JOIN ledger_transaction t ON t.transaction_id = e.transaction_id AND t.cause = 'refund at Stripe:' || d.stripe_refund
    GROUP BY d.booking_id
)
UPDATE payment p SET by_hand_minor = least(p.lost_minor, taken.minor)
FROM taken WHERE taken.booking_id = p.booking_id AND p.lost_minor > 0;
