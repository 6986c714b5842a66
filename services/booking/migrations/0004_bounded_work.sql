-- What a row may become is looked at row by row: a join of the rows before and after a statement is a nested loop where
-- its plan was made for few of them, and 8,000 rows then cost 64,000,000 comparisons.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = TG_ARGV[0];
END $$;

CREATE FUNCTION step_of_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM legal_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state) THEN
        RAISE check_violation USING MESSAGE = 'this step is not in the table of legal transitions';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER booking_step AFTER UPDATE ON booking FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION step_of_booking();
CREATE TRIGGER booking_agreed AFTER UPDATE ON booking FOR EACH ROW
    WHEN ((OLD.booking_id, OLD.price_minor, OLD.currency, OLD.commission_bps, OLD.provider_id, OLD.customer_id,
           OLD.attendee_id, OLD.offering_id, OLD.payment_id, OLD.seats, OLD.created_at, OLD.terms)
        IS DISTINCT FROM
          (NEW.booking_id, NEW.price_minor, NEW.currency, NEW.commission_bps, NEW.provider_id, NEW.customer_id,
           NEW.attendee_id, NEW.offering_id, NEW.payment_id, NEW.seats, NEW.created_at, NEW.terms))
    EXECUTE FUNCTION refuse_change('price, commission, parties, seats and terms of a booking never change');

CREATE OR REPLACE FUNCTION seats_of_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE slot SET taken = taken + d.seats, active = taken + d.seats > 0
    FROM (SELECT slot_id, sum(seats)::integer AS seats
          FROM (SELECT slot_id, seats FROM after JOIN booking_state USING (state) WHERE occupies
                UNION ALL
                SELECT slot_id, -seats FROM before JOIN booking_state USING (state) WHERE occupies) t
          GROUP BY slot_id HAVING sum(seats) <> 0) d
    WHERE slot.slot_id = d.slot_id;
    RETURN NULL;
END $$;

CREATE TRIGGER waitlist_entry_step AFTER UPDATE ON waitlist_entry FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND (OLD.state NOT IN ('WAITING', 'OFFERED') OR NEW.state = 'WAITING'))
    EXECUTE FUNCTION refuse_change('a waitlist entry does not go back');
CREATE TRIGGER waitlist_entry_agreed AFTER UPDATE ON waitlist_entry FOR EACH ROW
    WHEN ((OLD.entry_id, OLD.slot_id, OLD.seats, OLD.customer_id)
        IS DISTINCT FROM (NEW.entry_id, NEW.slot_id, NEW.seats, NEW.customer_id))
    EXECUTE FUNCTION refuse_change('slot, seats and customer of a waitlist entry never change');

CREATE OR REPLACE FUNCTION seats_of_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE slot SET taken = taken + d.seats, active = taken + d.seats > 0
    FROM (SELECT slot_id, sum(seats)::integer AS seats
          FROM (SELECT slot_id, seats FROM after WHERE state = 'OFFERED'
                UNION ALL
                SELECT slot_id, -seats FROM before WHERE state = 'OFFERED') t
          GROUP BY slot_id HAVING sum(seats) <> 0) d
    WHERE slot.slot_id = d.slot_id;
    RETURN NULL;
END $$;

-- Slots that were closed and whose bookings and line are not all ended yet: who closed, when, by which command.
CREATE TABLE slot_closing (
    slot_id        uuid PRIMARY KEY REFERENCES slot,
    closed_at      timestamptz NOT NULL,
    actor_kind     text NOT NULL,
    actor_id       text NOT NULL,
    command_id     uuid NOT NULL,
    correlation_id text NOT NULL
);

-- Stranded: nobody sits there and somebody waits, because the provider is busy elsewhere or the party is too large. Every
-- batch about a provider asks for these slots; without the mark it would read all who wait for the provider.
ALTER TABLE slot ADD COLUMN stranded boolean NOT NULL DEFAULT false;
CREATE FUNCTION slot_stranded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stranded := NOT NEW.active
        AND EXISTS (SELECT FROM waitlist_entry e WHERE e.slot_id = NEW.slot_id AND e.state = 'WAITING');
    RETURN NEW;
END $$;
CREATE TRIGGER slot_stranded BEFORE UPDATE ON slot FOR EACH ROW
    WHEN (OLD.active <> NEW.active) EXECUTE FUNCTION slot_stranded();
UPDATE slot SET stranded = true
WHERE NOT active AND EXISTS (SELECT FROM waitlist_entry e WHERE e.slot_id = slot.slot_id AND e.state = 'WAITING');

CREATE OR REPLACE FUNCTION waitlist_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM inserted WHERE state <> 'WAITING') THEN
        RAISE check_violation USING MESSAGE = 'a new waitlist entry is WAITING';
    END IF;
    UPDATE slot SET stranded = true
    WHERE slot_id IN (SELECT slot_id FROM inserted) AND NOT active AND NOT stranded;
    RETURN NULL;
END $$;
