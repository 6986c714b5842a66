-- What the auditor has found: one row as long as it lasts, a new one when it comes again. `subject` names it within its
-- kind, and stays the same from look to look; `ids` has the rows concerned.
CREATE TABLE violation (
    violation_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind         text NOT NULL,
    subject      text NOT NULL,
    booking_id   uuid,
    payment_id   uuid,
    detail       text NOT NULL,
    ids          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(ids) = 'object'),
    first_seen   timestamptz NOT NULL DEFAULT now(),
    last_seen    timestamptz NOT NULL DEFAULT now(),
    gone_at      timestamptz,
    CONSTRAINT violation_seen_in_order CHECK (first_seen <= last_seen AND first_seen <= gone_at)
);
CREATE UNIQUE INDEX violation_one_open ON violation (kind, subject) WHERE gone_at IS NULL;
CREATE INDEX violation_of_booking ON violation (booking_id);
CREATE INDEX violation_open_first ON violation (gone_at NULLS FIRST, first_seen);

-- How far each check is, and how its last pass went.
CREATE TABLE audit_pass (
    name     text PRIMARY KEY,
    position jsonb,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    rows     bigint NOT NULL DEFAULT 0 CHECK (rows >= 0),
    seconds  double precision NOT NULL DEFAULT 0 CHECK (seconds >= 0),
    problem  text
);

-- Who did what, and why; act `look`: who saw whose personal data. Written before the act, its outcome after it, and
-- never again, so that no name or address of a customer may stand in it: nothing could erase it.
CREATE TABLE operator_log (
    entry_id   uuid PRIMARY KEY DEFAULT uuidv7(),
    at         timestamptz NOT NULL DEFAULT now(),
    operator   text NOT NULL CHECK (operator <> ''),
    act        text NOT NULL CHECK (act <> ''),
    service    text,
    subject    text NOT NULL,
    booking_id uuid,
    reason     text NOT NULL,
    asked      jsonb NOT NULL DEFAULT '{}',
    outcome    text,
    ended_at   timestamptz,
    CONSTRAINT operator_log_ends_with_outcome CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX operator_log_of_booking ON operator_log (booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX operator_log_of_operator ON operator_log (operator, entry_id);
CREATE INDEX operator_log_of_act ON operator_log (act, entry_id);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = TG_TABLE_NAME || ' is kept as it was written: ' || TG_OP || ' is refused';
END $$;
CREATE TRIGGER operator_log_kept BEFORE DELETE OR TRUNCATE ON operator_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER operator_log_ended_once BEFORE UPDATE ON operator_log FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL
          OR to_jsonb(OLD) - ARRAY['outcome', 'ended_at'] <> to_jsonb(NEW) - ARRAY['outcome', 'ended_at'])
    EXECUTE FUNCTION refuse();

-- A list with its filters, as an operator calls it.
CREATE TABLE saved_view (
    view_id    uuid PRIMARY KEY DEFAULT uuidv7(),
    operator   text NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    path       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (operator, name)
);

-- An act on all that a filter finds, with its progress.
CREATE TABLE job (
    job_id     uuid PRIMARY KEY DEFAULT uuidv7(),
    operator   text NOT NULL CHECK (operator <> ''),
    act        text NOT NULL CHECK (act <> ''),
    service    text NOT NULL,
    asked      jsonb NOT NULL DEFAULT '{}',
    reason     text NOT NULL,
    total      integer NOT NULL DEFAULT 0 CHECK (total >= 0),
    done       integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    failed     integer NOT NULL DEFAULT 0 CHECK (failed >= 0),
    summary    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    stopped    boolean NOT NULL DEFAULT false
);
CREATE INDEX job_running ON job (created_at) WHERE ended_at IS NULL;
