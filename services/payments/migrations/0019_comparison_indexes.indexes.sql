-- The whole of a posting, by one of its accounts.
CREATE INDEX ledger_entry_of_transaction ON ledger_entry (transaction_id);
-- All that a wallet has at Stripe.
CREATE INDEX top_up_of_wallet ON top_up (customer_id);
CREATE INDEX withdrawal_part_of_wallet ON withdrawal_part (customer_id);
CREATE INDEX dashboard_refund_of_booking ON dashboard_refund (booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX dashboard_refund_of_wallet ON dashboard_refund (customer_id) WHERE customer_id IS NOT NULL;
