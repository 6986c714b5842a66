"""The tables of the plain applications, each in a database of its own."""

from __future__ import annotations

ENGINE = """
CREATE TABLE inbox (id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic  text NOT NULL,
    key    text NOT NULL,
    id     uuid NOT NULL,
    type   text NOT NULL,
    body   bytea NOT NULL
);
"""
BOOKING = """
CREATE TABLE slot (
    slot_id        uuid PRIMARY KEY,
    starts_at      timestamptz NOT NULL,
    provider_email text    NOT NULL,
    price_minor    bigint  NOT NULL,
    currency       text    NOT NULL,
    capacity       integer NOT NULL,
    taken          integer NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND capacity)
);
CREATE TABLE booking (
    booking_id     uuid PRIMARY KEY,
    slot_id        uuid NOT NULL REFERENCES slot,
    customer_id    text NOT NULL,
    customer_email text NOT NULL,
    state          text NOT NULL,
    payment_status text NOT NULL
);
CREATE INDEX ON booking (slot_id);
CREATE INDEX ON booking (customer_id);
"""
PAYMENTS = """
CREATE TABLE payment (
    booking_id     uuid PRIMARY KEY,
    method         text   NOT NULL,
    amount_minor   bigint NOT NULL,
    currency       text   NOT NULL,
    customer_id    text   NOT NULL,
    payment_intent text,
    status         text   NOT NULL
);
CREATE TABLE wallet (customer_id text PRIMARY KEY, balance_minor bigint NOT NULL CHECK (balance_minor >= 0));
"""
NOTIFICATIONS = """
CREATE TABLE mail (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id uuid NOT NULL,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL,
    sent_at    timestamptz
);
CREATE INDEX ON mail (booking_id);
"""
DATABASES = {"booking": ENGINE + BOOKING, "payments": ENGINE + PAYMENTS, "notifications": ENGINE + NOTIFICATIONS}
