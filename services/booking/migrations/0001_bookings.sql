-- Providers and offerings: what can be booked.
CREATE TABLE provider (
    provider_id    uuid PRIMARY KEY,
    name           text   NOT NULL,
    email          text   NOT NULL,
    timezone       text   NOT NULL,
    payout_account text,
    policy         text   NOT NULL,
    tiers          jsonb  NOT NULL,
    policy_version integer NOT NULL,
    sequence       bigint NOT NULL
);

CREATE TABLE offering (
    offering_id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider,
    definition  jsonb NOT NULL
);
CREATE INDEX offering_of_provider ON offering (provider_id);

-- Slots. taken and active follow from the bookings by trigger; nothing else writes them.
CREATE TABLE slot (
    slot_id     uuid PRIMARY KEY,
    offering_id uuid NOT NULL REFERENCES offering,
    provider_id uuid NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    busy        tstzrange NOT NULL,
    capacity    integer NOT NULL CHECK (capacity > 0),
    taken       integer NOT NULL DEFAULT 0,
    active      boolean NOT NULL DEFAULT false,
    opened      boolean NOT NULL,
    closed      boolean NOT NULL,
    UNIQUE (offering_id, starts_at),
    CONSTRAINT slot_not_oversold CHECK (taken BETWEEN 0 AND capacity),
    CONSTRAINT slot_active_when_taken CHECK (active = (taken > 0)),
    CHECK (starts_at < ends_at),
    CONSTRAINT slot_provider_overlap EXCLUDE USING gist (provider_id WITH =, busy WITH &&) WHERE (active)
        DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX slot_of_provider ON slot (provider_id, starts_at);

-- The state table of services/booking/model/states.py, once more: the database refuses what is not in it.
CREATE TABLE legal_transition (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
CREATE TABLE booking_state (
    state    text PRIMARY KEY,
    initial  boolean NOT NULL,
    occupies boolean NOT NULL
);

INSERT INTO booking_state (state, initial, occupies) VALUES
    ('PENDING_APPROVAL', true, true),
    ('PENDING_PAYMENT', true, true),
    ('CONFIRMED', false, true),
    ('PENDING_CONFIRMATION', false, true),
    ('COMPLETED', false, true),
    ('DISPUTED', false, true),
    ('RESOLVED_REFUNDED', false, true),
    ('RESOLVED_RELEASED', false, true),
    ('RESOLVED_SPLIT', false, true),
    ('CANCELLED_BY_CUSTOMER', false, false),
    ('CANCELLED_BY_PROVIDER', false, false),
    ('CANCELLED_BY_ADMIN', false, false),
    ('REJECTED_BY_PROVIDER', false, false),
    ('PAYMENT_FAILED', false, false),
    ('EXPIRED', false, false);
INSERT INTO legal_transition (from_state, to_state) VALUES
    ('PENDING_APPROVAL', 'CANCELLED_BY_ADMIN'),
    ('PENDING_APPROVAL', 'CANCELLED_BY_CUSTOMER'),
    ('PENDING_APPROVAL', 'CANCELLED_BY_PROVIDER'),
    ('PENDING_APPROVAL', 'EXPIRED'),
    ('PENDING_APPROVAL', 'PENDING_PAYMENT'),
    ('PENDING_APPROVAL', 'REJECTED_BY_PROVIDER'),
    ('PENDING_PAYMENT', 'CANCELLED_BY_ADMIN'),
    ('PENDING_PAYMENT', 'CANCELLED_BY_CUSTOMER'),
    ('PENDING_PAYMENT', 'CANCELLED_BY_PROVIDER'),
    ('PENDING_PAYMENT', 'CONFIRMED'),
    ('PENDING_PAYMENT', 'EXPIRED'),
    ('PENDING_PAYMENT', 'PAYMENT_FAILED'),
    ('CONFIRMED', 'CANCELLED_BY_ADMIN'),
    ('CONFIRMED', 'CANCELLED_BY_CUSTOMER'),
    ('CONFIRMED', 'CANCELLED_BY_PROVIDER'),
    ('CONFIRMED', 'DISPUTED'),
    ('CONFIRMED', 'PAYMENT_FAILED'),
    ('CONFIRMED', 'PENDING_CONFIRMATION'),
    ('PENDING_CONFIRMATION', 'COMPLETED'),
    ('PENDING_CONFIRMATION', 'DISPUTED'),
    ('DISPUTED', 'RESOLVED_REFUNDED'),
    ('DISPUTED', 'RESOLVED_RELEASED'),
    ('DISPUTED', 'RESOLVED_SPLIT');
-- A line of history that leaves the state as it is.
INSERT INTO legal_transition (from_state, to_state) SELECT state, state FROM booking_state;

-- Immutable: parties, price, commission, terms. Contact data lives in booking_contact alone.
CREATE TABLE booking (
    booking_id         uuid PRIMARY KEY,
    state              text NOT NULL REFERENCES booking_state,
    offering_id        uuid NOT NULL REFERENCES offering,
    provider_id        uuid NOT NULL,
    slot_id            uuid NOT NULL REFERENCES slot,
    starts_at          timestamptz NOT NULL,
    ends_at            timestamptz NOT NULL,
    seats              integer NOT NULL CHECK (seats > 0),
    customer_id        text NOT NULL,
    attendee_id        text,
    price_minor        bigint NOT NULL CHECK (price_minor > 0),
    currency           text NOT NULL,
    commission_bps     integer NOT NULL CHECK (commission_bps BETWEEN 0 AND 10000),
    approval           boolean NOT NULL,
    terms              jsonb NOT NULL,
    payment_id         uuid NOT NULL,
    created_at         timestamptz NOT NULL,
    deadline           timestamptz,
    payment            jsonb,
    attempt            integer NOT NULL,
    payment_status     text NOT NULL,
    settlement_id      uuid,
    refund_cap_percent integer NOT NULL CHECK (refund_cap_percent BETWEEN 0 AND 100),
    full_refund        boolean NOT NULL,
    sequence           bigint NOT NULL,
    history_number     integer NOT NULL
);
CREATE INDEX booking_pending_on_slot ON booking (slot_id) WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT');
CREATE INDEX booking_on_slot ON booking (slot_id);
CREATE INDEX booking_of_customer ON booking (customer_id, booking_id);
CREATE INDEX booking_of_provider ON booking (provider_id, booking_id);

CREATE TABLE booking_contact (
    booking_id uuid PRIMARY KEY REFERENCES booking,
    customer   jsonb NOT NULL,
    attendee   jsonb
);

-- Append-only: who did what, when, why, caused by which message.
CREATE TABLE booking_history (
    booking_id   uuid NOT NULL REFERENCES booking,
    number       integer NOT NULL,
    at           timestamptz NOT NULL,
    actor_kind   text NOT NULL,
    actor_id     text NOT NULL,
    type         text NOT NULL,
    from_state   text,
    to_state     text NOT NULL REFERENCES booking_state,
    reason       text,
    causation_id uuid,
    PRIMARY KEY (booking_id, number),
    FOREIGN KEY (from_state, to_state) REFERENCES legal_transition
);

CREATE TABLE saga (
    booking_id    uuid PRIMARY KEY REFERENCES booking,
    step          text NOT NULL CHECK (step IN ('authorize', 'capture', 'void', 'settle')),
    attempt       integer NOT NULL,
    status        text NOT NULL CHECK (status IN ('waiting', 'waiting_for_customer', 'done', 'stuck')),
    asked         integer NOT NULL,
    ask_again_at  timestamptz NOT NULL,
    settlement_id uuid,
    refund_minor  bigint,
    release_minor bigint,
    problem       text
);
CREATE INDEX saga_open ON saga (status, step) WHERE status <> 'done';
CREATE TABLE saga_log (
    booking_id uuid NOT NULL,
    line       bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL,
    step       text NOT NULL,
    attempt    integer NOT NULL,
    what       text NOT NULL,
    PRIMARY KEY (booking_id, line)
);

-- Seats: one statement-level trigger with transition tables; no code path, and no direct write, can oversell.
CREATE FUNCTION seats_of_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM inserted i JOIN booking_state s USING (state) WHERE NOT s.initial) THEN
        RAISE check_violation USING MESSAGE = 'a new booking is PENDING_PAYMENT or PENDING_APPROVAL';
    END IF;
    UPDATE slot SET taken = taken + d.seats, active = true
    FROM (SELECT slot_id, sum(seats)::integer AS seats FROM inserted GROUP BY slot_id) d
    WHERE slot.slot_id = d.slot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER booking_inserted AFTER INSERT ON booking REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION seats_of_inserted();

CREATE FUNCTION seats_of_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM before b JOIN after a USING (booking_id)
               WHERE b.state <> a.state AND NOT EXISTS (
                   SELECT FROM legal_transition t WHERE (t.from_state, t.to_state) = (b.state, a.state))) THEN
        RAISE check_violation USING MESSAGE = 'this step is not in the table of legal transitions';
    END IF;
    IF (SELECT count(*) FROM before b JOIN after a USING (booking_id)
        WHERE (b.price_minor, b.currency, b.commission_bps, b.provider_id, b.customer_id, b.offering_id,
               b.payment_id, b.seats, b.created_at, b.terms)
            = (a.price_minor, a.currency, a.commission_bps, a.provider_id, a.customer_id, a.offering_id,
               a.payment_id, a.seats, a.created_at, a.terms)
          AND b.attendee_id IS NOT DISTINCT FROM a.attendee_id) <> (SELECT count(*) FROM after) THEN
        RAISE check_violation USING MESSAGE = 'price, commission, parties, seats and terms of a booking never change';
    END IF;
    UPDATE slot SET taken = taken + d.seats, active = taken + d.seats > 0
    FROM (SELECT slot_id, sum(seats)::integer AS seats
          FROM (SELECT slot_id, seats FROM after JOIN booking_state USING (state) WHERE occupies
                UNION ALL
                SELECT slot_id, -seats FROM before JOIN booking_state USING (state) WHERE occupies) t
          GROUP BY slot_id HAVING sum(seats) <> 0) d
    WHERE slot.slot_id = d.slot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER booking_updated AFTER UPDATE ON booking REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION seats_of_updated();

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = TG_TABLE_NAME || ' is kept as it was written: ' || TG_OP || ' is refused';
END $$;
CREATE TRIGGER booking_kept BEFORE DELETE OR TRUNCATE ON booking FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER booking_history_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON booking_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER legal_transition_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON legal_transition
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
