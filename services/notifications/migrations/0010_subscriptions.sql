-- A receiver of events over HTTP, and how it does. No event_types: every type. provider_id, customer_id: theirs alone.
-- failures: tries in a row that failed; rest_until: before that none is made. The release before writes no such rows.
CREATE TABLE webhook_subscription (
    subscription_id uuid PRIMARY KEY,
    number          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    url             text NOT NULL,
    event_types     text[] NOT NULL,
    provider_id     uuid,
    customer_id     text,
    owner_email     text NOT NULL,
    description     text NOT NULL DEFAULT '',
    state           text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled', 'deleted')),
    disabled_for    text CHECK (disabled_for IN ('gone', 'failing', 'operator')),
    created_at      timestamptz NOT NULL,
    disabled_at     timestamptz,
    failures        integer NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    rest_until      timestamptz,
    last_error      text,
    CHECK ((state = 'disabled') = (disabled_for IS NOT NULL)),
    CHECK ((failures > 0) = (failing_since IS NOT NULL))
);
CREATE INDEX webhook_subscription_of_provider ON webhook_subscription (provider_id)
    WHERE provider_id IS NOT NULL AND state <> 'deleted';
CREATE INDEX webhook_subscription_of_customer ON webhook_subscription (customer_id)
    WHERE customer_id IS NOT NULL AND provider_id IS NULL AND state <> 'deleted';
CREATE INDEX webhook_subscription_of_all ON webhook_subscription (subscription_id)
    WHERE customer_id IS NULL AND provider_id IS NULL AND state <> 'deleted';

-- What is signed with: the newest, and those before it while they are valid. docs/operate/threat-model.md.
CREATE TABLE webhook_secret (
    subscription_id uuid NOT NULL REFERENCES webhook_subscription,
    number          bigint GENERATED ALWAYS AS IDENTITY,
    secret          bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    valid_until     timestamptz,
    PRIMARY KEY (subscription_id, number)
);

-- An event that somebody subscribes to, as it is sent: once, however many are told. Personal data.
CREATE TABLE webhook_event (
    event_id   uuid PRIMARY KEY,
    type       text NOT NULL,
    key        text NOT NULL,
    content    text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX webhook_event_by_age ON webhook_event (created_at);
CREATE INDEX webhook_event_of_key ON webhook_event (key);

-- One event's way to one subscriber; numbered with the letters, beside which it is listed.
CREATE TABLE webhook_delivery (
    delivery_id     uuid PRIMARY KEY,
    number          bigint NOT NULL DEFAULT nextval('delivery_number_seq'),
    subscription_id uuid NOT NULL REFERENCES webhook_subscription,
    event_id        uuid NOT NULL REFERENCES webhook_event ON DELETE CASCADE,
    key             text NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
    created_at      timestamptz NOT NULL,
    opened_at       timestamptz NOT NULL,
    try_at          timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    settled_at      timestamptz,
    reason          text,
    status          integer,
    answer          text,
    CONSTRAINT webhook_delivery_once UNIQUE (event_id, subscription_id),
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL)
);
COMMENT ON COLUMN webhook_delivery.opened_at IS 'since when it is tried: later than created_at where it was redelivered';
COMMENT ON COLUMN webhook_delivery.reason IS 'why the last try failed';
CREATE INDEX webhook_delivery_due ON webhook_delivery (subscription_id, try_at) WHERE state = 'pending';
CREATE INDEX webhook_delivery_line ON webhook_delivery (subscription_id, key, number) WHERE state = 'pending';
CREATE INDEX webhook_delivery_open ON webhook_delivery (opened_at) WHERE state = 'pending';
CREATE INDEX webhook_delivery_of_key ON webhook_delivery (key, number);
CREATE INDEX webhook_delivery_of_subscription ON webhook_delivery (subscription_id, number);
