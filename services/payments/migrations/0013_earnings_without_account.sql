-- Earnings from before, which no row asked for.
WITH waiting AS (
    UPDATE payment SET payouts = 1
    WHERE payouts = 0 AND payout_account IS NULL AND released_minor > commission_minor
    RETURNING booking_id, attempt, provider_id, released_minor - commission_minor AS amount_minor, currency
)
INSERT INTO payout (payout_id, booking_id, number, attempt, provider_id, amount_minor, currency, status, tries)
SELECT gen_random_uuid(), booking_id, 1, attempt, provider_id, amount_minor, currency, 'no_account', 0 FROM waiting;
