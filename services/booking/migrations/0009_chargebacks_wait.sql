-- A saga that waits for a chargeback counts those that are open.
ALTER TABLE saga ADD COLUMN disputes integer NOT NULL DEFAULT 0;
