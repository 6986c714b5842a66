"""The SQL of the comparison: what rows, ledger and Stripe's movements say, by subjects, bookings and wallets.

Everything is found by an index. Nothing reads more than it is asked for, but TOTALS what was posted in two rounds.
"""

LIVE = "r.status <> 'failed' AND NOT r.paid_outside AND r.failure IS NULL"
"""Refunds that Stripe makes or has made; what an operator or a lost chargeback has made good is none."""
ROWS = f"""
    SELECT 'charge' AS kind, payment_intent AS subject, currency, captured_minor AS amount_minor, booking_id,
           NULL AS customer_id, payment_intent
    FROM payment
    WHERE (payment_intent = ANY($1) OR booking_id = ANY($2)) AND payment_intent IS NOT NULL AND method = 'card'
    UNION ALL
    SELECT 'charge', payment_intent, currency, CASE status WHEN 'done' THEN amount_minor ELSE 0 END, NULL,
           customer_id, payment_intent
    FROM top_up WHERE (payment_intent = ANY($1) OR customer_id = ANY($3)) AND payment_intent IS NOT NULL
    UNION ALL
    SELECT 'refund', r.stripe_refund, p.currency, CASE WHEN {LIVE} THEN -r.amount_minor ELSE 0 END, r.booking_id, NULL,
           r.payment_intent
    FROM refund r JOIN payment p USING (booking_id)
    WHERE (r.stripe_refund = ANY($1) OR r.booking_id = ANY($2)) AND r.stripe_refund IS NOT NULL
    UNION ALL
    SELECT 'refund', p.stripe_refund, t.currency, CASE p.status WHEN 'sent' THEN -p.amount_minor ELSE 0 END, NULL,
           p.customer_id, t.payment_intent
    FROM withdrawal_part p JOIN top_up t ON t.command_id = p.top_up_id
    WHERE (p.stripe_refund = ANY($1) OR p.customer_id = ANY($3)) AND p.stripe_refund IS NOT NULL
    UNION ALL
    SELECT 'refund', stripe_refund, currency, CASE WHEN failed THEN 0 ELSE -amount_minor END, NULL, customer_id,
           payment_intent
    FROM dashboard_refund WHERE (stripe_refund = ANY($1) OR customer_id = ANY($3)) AND customer_id IS NOT NULL
    UNION ALL
    SELECT 'transfer', transfer_id, currency, reversed_minor - amount_minor, booking_id, NULL, NULL
    FROM payout WHERE (transfer_id = ANY($1) OR booking_id = ANY($2)) AND transfer_id IS NOT NULL
    UNION ALL
    SELECT 'dispute', dispute_id, currency, CASE WHEN outcome IN ('open', 'lost') THEN -amount_minor ELSE 0 END,
           booking_id, customer_id, payment_intent
    FROM chargeback WHERE dispute_id = ANY($1)
"""
MOVEMENTS = """
    SELECT kind, subject, currency, sum(amount_minor)::bigint AS amount_minor, NULL::uuid AS booking_id,
           NULL AS customer_id, max(payment_intent) AS payment_intent
    FROM stripe_movement WHERE subject = ANY($1) AND kind <> 'other' GROUP BY kind, subject, currency
"""
BOOKINGS = f"""
    SELECT p.booking_id, p.payment_intent, p.currency,
           p.captured_minor - p.refunded_minor - p.released_minor AS escrow_row,
           coalesce((SELECT balance_minor FROM ledger_balance
                     WHERE account = 'escrow:' || p.booking_id AND currency = p.currency), 0) AS escrow_ledger,
           p.commission_minor AS commission_row, posted.commission AS commission_ledger,
           r.owed AS owed_row, posted.owed AS owed_ledger,
           CASE p.method WHEN 'card' THEN p.captured_minor - r.live ELSE 0 END AS clearing_row,
           posted.clearing AS clearing_ledger, hidden.one AS hidden
    FROM payment p
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.amount_minor) FILTER (WHERE {LIVE}), 0)::bigint AS live,
               coalesce(sum(r.amount_minor) FILTER (WHERE r.status = 'failed'), 0)::bigint AS owed
        FROM refund r WHERE r.booking_id = p.booking_id) r
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE account = 'commission'), 0)::bigint AS commission,
               coalesce(sum(amount_minor) FILTER (WHERE account = 'refund:' || p.booking_id || ':owed'), 0)::bigint
                   AS owed,
               coalesce(-sum(amount_minor) FILTER (WHERE account = 'stripe:clearing'), 0)::bigint AS clearing
        FROM ledger_entry WHERE transaction_id = ANY(ARRAY(
            SELECT transaction_id FROM ledger_entry
            WHERE account IN ('escrow:' || p.booking_id, 'refund:' || p.booking_id || ':owed')))) posted
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM dashboard_refund d
                       WHERE d.booking_id = p.booking_id AND d.lost_minor = d.amount_minor) AS one) hidden
    WHERE p.booking_id = ANY($1) AND p.method IS NOT NULL
"""
"""`hidden`: a refund made at Stripe that was all our loss is posted without an account of the booking's."""
WALLETS = """
    SELECT w.customer_id, c.currency, coalesce(posted.clearing, 0) AS clearing_ledger,
           coalesce(t.amount, 0) - coalesce(p.amount, 0) - coalesce(d.amount, 0) AS clearing_row
    FROM unnest($1::text[]) AS w (customer_id)
    CROSS JOIN LATERAL (SELECT DISTINCT currency FROM top_up WHERE customer_id = w.customer_id) c
    CROSS JOIN LATERAL (SELECT sum(amount_minor)::bigint AS amount FROM top_up
        WHERE customer_id = w.customer_id AND currency = c.currency AND status = 'done') t
    CROSS JOIN LATERAL (SELECT sum(p.amount_minor)::bigint AS amount
        FROM withdrawal_part p JOIN top_up u ON u.command_id = p.top_up_id
        WHERE p.customer_id = w.customer_id AND u.currency = c.currency AND p.status = 'sent') p
    CROSS JOIN LATERAL (SELECT sum(amount_minor)::bigint AS amount FROM dashboard_refund
        WHERE customer_id = w.customer_id AND currency = c.currency AND NOT failed AND lost_minor < amount_minor) d
    CROSS JOIN LATERAL (SELECT -sum(amount_minor)::bigint AS clearing FROM ledger_entry
        WHERE account = 'stripe:clearing' AND currency = c.currency AND transaction_id = ANY(ARRAY(
            SELECT transaction_id FROM ledger_entry
            WHERE account IN ('wallet:' || w.customer_id || ':available', 'wallet:' || w.customer_id || ':locked')))
        ) posted
"""
"""What went in and out by Stripe. A refund by hand that was all our loss touches no account of the wallet's."""
LOSSES = """
    SELECT d.stripe_refund, d.customer_id, d.currency, d.payment_intent, d.lost_minor,
           least(d.lost_minor, has.now, had.then) AS covered
    FROM dashboard_refund d
    CROSS JOIN LATERAL (
        SELECT e.entry_id FROM ledger_entry e JOIN ledger_transaction t USING (transaction_id)
        WHERE e.account = 'refund:losses' AND t.cause = 'refund at Stripe:' || d.stripe_refund) posting
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0)::bigint AS then FROM ledger_entry
        WHERE account IN ('wallet:' || d.customer_id || ':available', 'wallet:' || d.customer_id || ':locked')
          AND currency = d.currency AND entry_id < posting.entry_id) had
    CROSS JOIN LATERAL (SELECT coalesce(sum(balance_minor), 0)::bigint AS now FROM ledger_balance
        WHERE account = 'wallet:' || d.customer_id || ':available' AND currency = d.currency) has
    WHERE d.customer_id = ANY($1) AND d.lost_minor > 0 AND NOT d.failed
      AND d.seen_at > statement_timestamp() - interval '30 days'
"""
"""A loss, and what the wallet had when it was posted and still has: the payer has that twice."""
FEES = """
    SELECT transaction_id, currency, amount_minor - fee_minor AS left_minor, net_minor, payment_intent
    FROM stripe_movement
    WHERE (subject = ANY($1) OR transaction_id = ANY($1)) AND net_minor <> amount_minor - fee_minor
"""
POSTED = """
    SELECT count(*) AS count, max(entry_id) AS last,
           array_agg(DISTINCT substring(account FROM '^(?:escrow|refund):([0-9a-f-]{36})')::uuid) AS bookings,
           array_agg(DISTINCT substring(account FROM '^wallet:(.*):(?:available|locked)$')) AS customers,
           array_agg(DISTINCT substring(account FROM '^chargeback:(?!losses$)(.*)$')) AS disputes
    FROM (SELECT entry_id, account FROM ledger_entry WHERE entry_id > $1 ORDER BY entry_id LIMIT $2) newest
"""
"""Whom the newest postings touch."""
TOTALS = """
    SELECT currency, coalesce(t.net_minor, 0) AS net, coalesce(t.amount_minor, 0) AS moved,
           -(coalesce(t.clearing_minor, 0) + coalesce(newest.amount_minor, 0)) AS held,
           t.opening_balance_minor AS opening_balance, t.opening_clearing_minor AS opening_clearing
    FROM stripe_total t FULL JOIN (
        SELECT currency, sum(amount_minor)::bigint AS amount_minor FROM ledger_entry
        WHERE account = 'stripe:clearing' AND entry_id > $1 GROUP BY currency) newest USING (currency)
"""
