-- The last event seen of each booking. body holds contact data and is null once that was erased.
CREATE TABLE known_booking (
    booking_id uuid PRIMARY KEY,
    sequence   bigint NOT NULL,
    state      text   NOT NULL,
    event_type text   NOT NULL,
    body       jsonb
);

-- One letter to one person. booking_id is a waitlist entry's id where the letter is about one.
CREATE TABLE delivery (
    delivery_id uuid PRIMARY KEY,
    number      bigint GENERATED ALWAYS AS IDENTITY,
    booking_id  uuid NOT NULL,
    event_id    uuid NOT NULL,
    recipient   text NOT NULL,
    channel     text NOT NULL CHECK (channel IN ('email')),
    kind        text NOT NULL,
    audience    text NOT NULL CHECK (audience IN ('customer', 'provider', 'admin')),
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
    created_at  timestamptz NOT NULL,
    settled_at  timestamptz,
    reason      text,
    CONSTRAINT delivery_once UNIQUE (event_id, recipient, channel),
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    CHECK ((state = 'failed') = (reason IS NOT NULL))
);
CREATE INDEX delivery_of_booking ON delivery (booking_id, number);
CREATE INDEX delivery_failed ON delivery (settled_at) WHERE state = 'failed';
CREATE INDEX delivery_pending ON delivery (created_at) WHERE state = 'pending';

-- The last number of each booking's stream on notifications.events.
CREATE TABLE delivery_stream (
    booking_id uuid PRIMARY KEY,
    sequence   bigint NOT NULL DEFAULT 0
);

-- What became of a delivery never changes.
CREATE FUNCTION delivery_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = 'delivery ' || OLD.delivery_id || ' is ' || OLD.state || ' for ever';
END $$;
CREATE TRIGGER delivery_settled_once BEFORE UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> 'pending' AND NEW.state <> OLD.state) EXECUTE FUNCTION delivery_is_settled();
