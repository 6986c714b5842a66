-- A provider's whole schedule, as SetSchedule last said it; slots of it have rows only once somebody wants one.
CREATE TABLE schedule (
    provider_id uuid PRIMARY KEY REFERENCES provider,
    weekly      jsonb NOT NULL,
    dated       jsonb NOT NULL,
    closed      jsonb NOT NULL
);

-- What a cancellation would give back, promised until valid_until; a reschedule kills it.
CREATE TABLE cancellation_quote (
    quote_id       uuid PRIMARY KEY,
    booking_id     uuid NOT NULL REFERENCES booking,
    actor_kind     text NOT NULL,
    actor_id       text NOT NULL,
    refund_minor   bigint NOT NULL CHECK (refund_minor >= 0),
    kept_minor     bigint NOT NULL CHECK (kept_minor >= 0),
    currency       text NOT NULL,
    policy_version text NOT NULL,
    valid_until    timestamptz NOT NULL,
    dead           boolean NOT NULL
);
CREATE INDEX cancellation_quote_of_booking ON cancellation_quote (booking_id) WHERE NOT dead;

-- Who waits for seats on a full slot. An OFFERED entry holds its seats; contact data lives in waitlist_contact alone.
CREATE TABLE waitlist_entry (
    entry_id       uuid PRIMARY KEY,
    state          text NOT NULL CHECK (state IN ('WAITING', 'OFFERED', 'ACCEPTED', 'EXPIRED', 'LEFT', 'CLOSED')),
    slot_id        uuid NOT NULL REFERENCES slot,
    offering_id    uuid NOT NULL,
    provider_id    uuid NOT NULL,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    seats          integer NOT NULL CHECK (seats > 0),
    customer_id    text NOT NULL,
    offering_title text NOT NULL,
    provider_name  text NOT NULL,
    place          integer NOT NULL,
    closes_at      timestamptz NOT NULL,
    offer_minutes  integer NOT NULL,
    deadline       timestamptz,
    booking_id     uuid UNIQUE,
    joined_at      timestamptz NOT NULL,
    sequence       bigint NOT NULL,
    CHECK ((state = 'OFFERED') = (deadline IS NOT NULL)),
    CHECK ((state = 'ACCEPTED') = (booking_id IS NOT NULL)),
    -- A customer waits once for a slot; looked at when a batch is complete, which may end one entry and begin another.
    CONSTRAINT waitlist_entry_once EXCLUDE USING btree (slot_id WITH =, customer_id WITH =)
        WHERE (state IN ('WAITING', 'OFFERED')) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE waitlist_contact (
    entry_id uuid PRIMARY KEY REFERENCES waitlist_entry,
    customer jsonb NOT NULL
);

-- Offered seats count like booked ones: the same counter, kept by the same kind of trigger.
CREATE FUNCTION waitlist_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM inserted WHERE state <> 'WAITING') THEN
        RAISE check_violation USING MESSAGE = 'a new waitlist entry is WAITING';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER waitlist_entry_inserted AFTER INSERT ON waitlist_entry REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION waitlist_inserted();

CREATE FUNCTION seats_of_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM before b JOIN after a USING (entry_id)
               WHERE b.state <> a.state
                 AND (b.state NOT IN ('WAITING', 'OFFERED') OR a.state = 'WAITING')) THEN
        RAISE check_violation USING MESSAGE = 'a waitlist entry does not go back';
    END IF;
    IF (SELECT count(*) FROM before b JOIN after a USING (entry_id)
        WHERE (b.slot_id, b.seats, b.customer_id) = (a.slot_id, a.seats, a.customer_id))
       <> (SELECT count(*) FROM after) THEN
        RAISE check_violation USING MESSAGE = 'slot, seats and customer of a waitlist entry never change';
    END IF;
    UPDATE slot SET taken = taken + d.seats, active = taken + d.seats > 0
    FROM (SELECT slot_id, sum(seats)::integer AS seats
          FROM (SELECT slot_id, seats FROM after WHERE state = 'OFFERED'
                UNION ALL
                SELECT slot_id, -seats FROM before WHERE state = 'OFFERED') t
          GROUP BY slot_id HAVING sum(seats) <> 0) d
    WHERE slot.slot_id = d.slot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER waitlist_entry_updated AFTER UPDATE ON waitlist_entry REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION seats_of_offers();
CREATE TRIGGER waitlist_entry_kept BEFORE DELETE OR TRUNCATE ON waitlist_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
