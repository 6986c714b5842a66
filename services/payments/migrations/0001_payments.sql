-- The money of each booking. The terms are null only where a payment was voided before it was asked for.
CREATE TABLE payment (
    booking_id       uuid PRIMARY KEY,
    payment_id       uuid    NOT NULL,
    correlation_id   text    NOT NULL,
    sequence         bigint  NOT NULL,
    attempt          integer NOT NULL,
    status           text    NOT NULL CHECK (status IN ('pending', 'requires_action', 'authorized', 'captured',
                                                        'settled', 'voided', 'declined')),
    action           text CHECK (action IN ('authenticate', 'payment_method')),
    method           text CHECK (method IN ('card', 'wallet')),
    amount_minor     bigint CHECK (amount_minor > 0),
    currency         text,
    customer_id      text,
    provider_id      uuid,
    payout_account   text,
    commission_bps   integer CHECK (commission_bps BETWEEN 0 AND 10000),
    payment_intent   text,
    calling          text,
    voided_through   integer NOT NULL,
    owes_void        boolean NOT NULL,
    capture_asked    boolean NOT NULL,
    settling         uuid,
    authorized_minor bigint  NOT NULL CHECK (authorized_minor >= 0),
    captured_minor   bigint  NOT NULL CHECK (captured_minor BETWEEN 0 AND authorized_minor),
    refunded_minor   bigint  NOT NULL CHECK (refunded_minor >= 0),
    released_minor   bigint  NOT NULL CHECK (released_minor >= 0),
    commission_minor bigint  NOT NULL CHECK (commission_minor BETWEEN 0 AND released_minor),
    refunds          integer NOT NULL,
    decline_code     text,
    decline_retryable boolean,
    decline_message  text,
    CONSTRAINT payment_not_overspent CHECK (refunded_minor + released_minor <= captured_minor),
    CONSTRAINT payment_has_terms CHECK (num_nulls(method, amount_minor, currency, customer_id, provider_id,
                                                  commission_bps) IN (0, 6)),
    CONSTRAINT payment_waits_for_action CHECK ((status = 'requires_action') = (action IS NOT NULL)),
    CHECK (status IN ('voided') OR method IS NOT NULL),
    CHECK (status NOT IN ('captured', 'settled') OR captured_minor > 0)
);
CREATE INDEX payment_of_intent ON payment (payment_intent) WHERE payment_intent IS NOT NULL;
CREATE INDEX payment_live ON payment (booking_id) WHERE status IN ('pending', 'requires_action', 'authorized');

-- Requests to end an escrow; via is null while one waits.
CREATE TABLE settlement (
    settlement_id    uuid PRIMARY KEY,
    booking_id       uuid    NOT NULL REFERENCES payment,
    refund_minor     bigint  NOT NULL CHECK (refund_minor >= 0),
    release_minor    bigint  NOT NULL CHECK (release_minor >= 0),
    answers_void     boolean NOT NULL,
    via              text CHECK (via IN ('void', 'refund')),
    commission_minor bigint  NOT NULL CHECK (commission_minor BETWEEN 0 AND release_minor)
);

-- Refunds, followed to the end.
CREATE TABLE refund (
    refund_id      uuid PRIMARY KEY,
    booking_id     uuid    NOT NULL REFERENCES payment,
    number         integer NOT NULL,
    attempt        integer NOT NULL,
    payment_intent text    NOT NULL,
    amount_minor   bigint  NOT NULL CHECK (amount_minor > 0),
    status         text    NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    stripe_refund  text UNIQUE,
    failure        text,
    calling        boolean NOT NULL,
    tries          integer NOT NULL,
    UNIQUE (booking_id, number)
);

-- The ledger: append-only, double entry.
CREATE TABLE ledger_transaction (
    transaction_id uuid PRIMARY KEY,
    cause          text NOT NULL,
    at             timestamptz NOT NULL,
    causation_id   uuid
);
CREATE TABLE ledger_entry (
    entry_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id uuid   NOT NULL REFERENCES ledger_transaction,
    account        text   NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    currency       text   NOT NULL
);
CREATE INDEX ledger_entry_of_account ON ledger_entry (account, entry_id);

-- What may not be overdrawn: wallets and escrows. Follows from the entries by trigger; nothing else writes it.
CREATE TABLE ledger_balance (
    account       text   NOT NULL,
    currency      text   NOT NULL,
    balance_minor bigint NOT NULL,
    PRIMARY KEY (account, currency),
    CONSTRAINT ledger_not_overdrawn CHECK (balance_minor >= 0)
) WITH (fillfactor = 80);

CREATE FUNCTION ledger_posted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT transaction_id, currency, sum(amount_minor) AS amount INTO wrong FROM inserted
    GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE check_violation USING MESSAGE = format(
            'ledger transaction %s is off by %s %s', wrong.transaction_id, wrong.amount, wrong.currency);
    END IF;
    INSERT INTO ledger_balance (account, currency, balance_minor)
    SELECT DISTINCT account, currency, 0 FROM inserted WHERE account ~ '^(wallet|escrow):'
    ORDER BY account, currency
    ON CONFLICT DO NOTHING;
    UPDATE ledger_balance b SET balance_minor = b.balance_minor + d.amount
    FROM (SELECT account, currency, sum(amount_minor)::bigint AS amount FROM inserted
          WHERE account ~ '^(wallet|escrow):' GROUP BY account, currency) d
    WHERE (b.account, b.currency) = (d.account, d.currency);
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_posted AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_posted();

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = TG_TABLE_NAME || ' is kept as it was written: ' || TG_OP || ' is refused';
END $$;
CREATE TRIGGER ledger_transaction_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER ledger_entry_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER payment_kept BEFORE DELETE OR TRUNCATE ON payment FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER ledger_balance_follows BEFORE INSERT OR UPDATE OR DELETE ON ledger_balance
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse();
CREATE TRIGGER ledger_balance_kept BEFORE TRUNCATE ON ledger_balance FOR EACH STATEMENT EXECUTE FUNCTION refuse();

-- What Stripe told, each event once, without client secrets.
CREATE TABLE stripe_event (
    event_id    text PRIMARY KEY,
    type        text NOT NULL,
    body        jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stripe_event_by_age ON stripe_event USING brin (received_at);

-- How far Stripe's list of events has been swept; one replica sweeps at a time.
CREATE TABLE stripe_sweep (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    swept_until timestamptz,
    try_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO stripe_sweep DEFAULT VALUES;
