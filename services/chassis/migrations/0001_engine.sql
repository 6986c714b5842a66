-- What the engine keeps in every service's database (docs/engine.md). Never edited: a change is a new file.

-- Where the service has consumed to; advanced in the batch's own transaction. Fences replicas that lost a partition.
CREATE TABLE consumed_position (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Ids of events already handled.
CREATE TABLE inbox (
    message_id  uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);

-- Commands already handled, with the one reply of each: the inbox of commands.
CREATE TABLE command_receipt (
    command_id  uuid PRIMARY KEY,
    body_hash   bytea NOT NULL,
    reply_type  text  NOT NULL,
    reply       text  NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX command_receipt_by_age ON command_receipt USING brin (received_at);
CREATE INDEX inbox_by_age ON inbox USING brin (received_at);

-- Messages on their way to Kafka; the relay reads in id order and forgets what is acknowledged.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text  NOT NULL,
    key        text,
    headers    text  NOT NULL,
    body       bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Rows that enter the batch beside Kafka records: timers, stored webhooks, and records that wait behind a failed one.
CREATE TABLE local_message (
    id         uuid PRIMARY KEY,
    arrival    bigint GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL CHECK (kind IN ('timer', 'record')),
    type       text NOT NULL,
    key        text NOT NULL,
    due_at     timestamptz NOT NULL,
    headers    text  NOT NULL,
    body       bytea NOT NULL,
    topic      text    NOT NULL DEFAULT '',
    partition  integer NOT NULL DEFAULT 0,
    "offset"   bigint  NOT NULL DEFAULT 0
);
CREATE INDEX local_message_due ON local_message (due_at, arrival);
CREATE INDEX local_message_of_key ON local_message (key) WHERE kind = 'record';

-- What was set aside, with its error; original bytes and headers.
CREATE TABLE dead_letter (
    id         uuid PRIMARY KEY,
    topic      text    NOT NULL,
    partition  integer NOT NULL,
    "offset"   bigint  NOT NULL,
    kind       text    NOT NULL CHECK (kind IN ('refused', 'failed')),
    key        bytea,
    message_id uuid,
    type       text,
    error      text  NOT NULL,
    headers    text  NOT NULL,
    body       bytea NOT NULL,
    status     text  NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'redriven', 'discarded')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (topic, partition, "offset")
);

-- Keys whose messages wait behind a failed one. Draining: the operator let them go, in order.
CREATE TABLE blocked_key (
    key      text PRIMARY KEY,
    draining boolean NOT NULL DEFAULT false,
    since    timestamptz NOT NULL DEFAULT now()
);

-- Intended calls to the outside world; leases and retries in real time.
CREATE TABLE gateway_call (
    id              uuid PRIMARY KEY,
    subject         text NOT NULL,
    key             text NOT NULL,
    operation       text NOT NULL,
    parameters      text NOT NULL,
    idempotency_key text NOT NULL,
    headers         text NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    tries           integer NOT NULL DEFAULT 0,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    try_at          timestamptz NOT NULL,
    last_error      text
);
CREATE UNIQUE INDEX gateway_call_one_open ON gateway_call (subject) WHERE state = 'open';
CREATE INDEX gateway_call_due ON gateway_call (try_at) WHERE state = 'open';
