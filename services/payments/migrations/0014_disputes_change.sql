-- What a lost chargeback took, and what of a settlement it made up: given back when the bank changes its mind.
ALTER TABLE chargeback
    ADD COLUMN covered_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN owed_minor    bigint NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN made_up_minor bigint NOT NULL DEFAULT 0;
-- What is noted for a person may be of nobody that our rows know.
ALTER TABLE reconciliation DROP CONSTRAINT reconciliation_of_somebody;
