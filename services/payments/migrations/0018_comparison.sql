-- Stripe's balance transactions as they were read: what moved its balance, and by which object (comparison/movements.py).
CREATE TABLE stripe_movement (
    line           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id text   NOT NULL UNIQUE,
    kind           text   NOT NULL,
    subject        text   NOT NULL,
    payment_intent text,
    currency       text   NOT NULL,
    amount_minor   bigint NOT NULL,
    fee_minor      bigint NOT NULL,
    net_minor      bigint NOT NULL,
    created_at     timestamptz NOT NULL
);
CREATE INDEX stripe_movement_of_subject ON stripe_movement (subject);
CREATE INDEX stripe_movement_created ON stripe_movement (created_at, line);

-- Their sums, and that of the clearing account up to comparison_state.entry. An opening is what was there before the first
-- movement that was read; null until the sides have agreed once.
CREATE TABLE stripe_total (
    currency       text PRIMARY KEY,
    amount_minor   bigint NOT NULL DEFAULT 0,
    fee_minor      bigint NOT NULL DEFAULT 0,
    net_minor      bigint NOT NULL DEFAULT 0,
    clearing_minor bigint NOT NULL DEFAULT 0,
    opening_balance_minor  bigint,
    opening_clearing_minor bigint
);

-- How far the comparison has come; one replica compares at a time, until try_at.
CREATE TABLE comparison_state (
    singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    try_at         timestamptz NOT NULL DEFAULT now(),
    since          timestamptz,
    until          timestamptz,
    after          text,
    line           bigint NOT NULL DEFAULT 0,
    entry          bigint NOT NULL DEFAULT 0,
    entry_seen     bigint NOT NULL DEFAULT 0,
    again_from     timestamptz,
    again_line     bigint NOT NULL DEFAULT 0,
    began_at       timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    compared       integer NOT NULL DEFAULT 0
);
INSERT INTO comparison_state DEFAULT VALUES;

-- What does not agree. It counts from counted_at on, when it was still so after a time of grace.
CREATE TABLE stripe_difference (
    line           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text   NOT NULL,
    subject        text   NOT NULL,
    currency       text   NOT NULL,
    ours_minor     bigint NOT NULL,
    theirs_minor   bigint NOT NULL,
    booking_id     uuid,
    customer_id    text,
    payment_intent text,
    first_seen     timestamptz NOT NULL,
    since          timestamptz NOT NULL,
    last_seen      timestamptz NOT NULL,
    counted_at     timestamptz,
    gone_at        timestamptz
);
CREATE UNIQUE INDEX stripe_difference_open ON stripe_difference (kind, subject, currency) WHERE gone_at IS NULL;
