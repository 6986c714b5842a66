-- Refunds made in Stripe's dashboard: of a booking's payment (then it has a row in refund too), or of a wallet's top-up.
CREATE TABLE dashboard_refund (
    stripe_refund  text PRIMARY KEY,
    booking_id     uuid REFERENCES payment,
    refund_id      uuid REFERENCES refund,
    customer_id    text REFERENCES wallet,
    top_up_id      uuid REFERENCES top_up,
    payment_intent text   NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text   NOT NULL,
    lost_minor     bigint NOT NULL CHECK (lost_minor BETWEEN 0 AND amount_minor),
    failed         boolean NOT NULL,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(booking_id, refund_id) IN (0, 2) AND num_nulls(customer_id, top_up_id) IN (0, 2)),
    CHECK (num_nonnulls(booking_id, customer_id) = 1)
);
CREATE INDEX dashboard_refund_seen ON dashboard_refund (seen_at);
CREATE INDEX top_up_of_intent ON top_up (payment_intent) WHERE payment_intent IS NOT NULL;
