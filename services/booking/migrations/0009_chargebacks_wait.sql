ALTER TABLE saga
    ADD COLUMN disputes integer NOT NULL DEFAULT 0 CHECK (disputes >= 0),
    DROP CONSTRAINT saga_status_check,
    ADD CONSTRAINT saga_status_check CHECK (status IN ('waiting', 'waiting_for_customer', 'waiting_for_chargeback',
                                                       'done', 'stuck'));
