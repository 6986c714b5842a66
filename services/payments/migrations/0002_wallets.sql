ALTER TABLE payment
    ADD COLUMN charge     text,
    ADD COLUMN payouts    integer NOT NULL DEFAULT 0,
    ADD COLUMN disputes   integer NOT NULL DEFAULT 0 CHECK (disputes >= 0),
    ADD COLUMN lost_minor bigint  NOT NULL DEFAULT 0 CHECK (lost_minor >= 0),
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
DROP INDEX payment_live;
CREATE INDEX payment_live ON payment (changed_at) WHERE status IN ('pending', 'requires_action', 'authorized');

ALTER TABLE refund
    ALTER COLUMN payment_intent DROP NOT NULL,
    ADD COLUMN parked boolean NOT NULL DEFAULT false;
CREATE INDEX refund_failed ON refund (booking_id) WHERE status = 'failed';

-- A customer's wallet: its lock and the number of its last event. Its money is in the ledger.
CREATE TABLE wallet (
    customer_id text PRIMARY KEY,
    sequence    bigint NOT NULL
);

-- Wallet commands that wait for Stripe, or have waited.
CREATE TABLE wallet_command (
    command_id     uuid PRIMARY KEY,
    customer_id    text    NOT NULL REFERENCES wallet,
    body_hash      bytea   NOT NULL,
    correlation_id text    NOT NULL,
    reply_to       text,
    answered       boolean NOT NULL
);

CREATE TABLE top_up (
    command_id     uuid PRIMARY KEY REFERENCES wallet_command,
    customer_id    text    NOT NULL REFERENCES wallet,
    amount_minor   bigint  NOT NULL CHECK (amount_minor > 0),
    currency       text    NOT NULL,
    made_at        timestamptz NOT NULL,
    status         text    NOT NULL CHECK (status IN ('pending', 'done', 'declined')),
    payment_intent text,
    refunded_minor bigint  NOT NULL CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    closed         boolean NOT NULL,
    CHECK (status <> 'done' OR payment_intent IS NOT NULL)
);
CREATE INDEX top_up_of_customer ON top_up (customer_id, currency, made_at) WHERE status = 'done' AND NOT closed;

CREATE TABLE withdrawal (
    command_id      uuid PRIMARY KEY REFERENCES wallet_command,
    customer_id     text    NOT NULL REFERENCES wallet,
    amount_minor    bigint  NOT NULL CHECK (amount_minor > 0),
    currency        text    NOT NULL,
    withdrawn_minor bigint  NOT NULL CHECK (withdrawn_minor BETWEEN 0 AND amount_minor),
    parts           integer NOT NULL
);

CREATE TABLE withdrawal_part (
    part_id       uuid PRIMARY KEY,
    command_id    uuid    NOT NULL REFERENCES withdrawal,
    customer_id   text    NOT NULL,
    number        integer NOT NULL,
    top_up_id     uuid    NOT NULL REFERENCES top_up,
    amount_minor  bigint  NOT NULL CHECK (amount_minor > 0),
    status        text    NOT NULL CHECK (status IN ('pending', 'sent', 'failed')),
    stripe_refund text UNIQUE,
    UNIQUE (command_id, number)
);

-- Transfers to providers' connected accounts.
CREATE TABLE payout (
    payout_id     uuid PRIMARY KEY,
    booking_id    uuid    NOT NULL REFERENCES payment,
    number        integer NOT NULL,
    attempt       integer NOT NULL,
    provider_id   uuid    NOT NULL,
    account       text    NOT NULL,
    amount_minor  bigint  NOT NULL CHECK (amount_minor > 0),
    currency      text    NOT NULL,
    source_charge text,
    status        text    NOT NULL CHECK (status IN ('pending', 'paid', 'failed', 'parked')),
    transfer_id   text UNIQUE,
    failure       text,
    tries         integer NOT NULL,
    UNIQUE (booking_id, number),
    CHECK ((status = 'paid') = (transfer_id IS NOT NULL))
);
CREATE INDEX payout_failed ON payout (booking_id) WHERE status IN ('failed', 'parked');

-- Disputes of Stripe's; booking_id is null for the dispute of a wallet's top-up.
CREATE TABLE chargeback (
    dispute_id     text PRIMARY KEY,
    booking_id     uuid REFERENCES payment,
    payment_intent text    NOT NULL,
    amount_minor   bigint  NOT NULL CHECK (amount_minor > 0),
    currency       text    NOT NULL,
    outcome        text    NOT NULL CHECK (outcome IN ('told', 'open', 'won', 'lost')),
    calling        boolean NOT NULL
);
CREATE INDEX chargeback_open ON chargeback (dispute_id) WHERE outcome = 'open';

-- What the reconciler found and did.
CREATE TABLE reconciliation (
    line           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL,
    booking_id     uuid NOT NULL,
    payment_intent text NOT NULL,
    finding        text NOT NULL,
    repair         text NOT NULL
);
CREATE TABLE reconciled_until (
    reconciled integer PRIMARY KEY DEFAULT 1 CHECK (reconciled = 1),
    until      timestamptz,
    try_at     timestamptz NOT NULL DEFAULT now()
);
INSERT INTO reconciled_until DEFAULT VALUES;
