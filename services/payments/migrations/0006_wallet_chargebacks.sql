-- The dispute of a top-up: whose wallet it is, and what of it is locked until the dispute is closed.
ALTER TABLE chargeback
    ADD COLUMN customer_id  text REFERENCES wallet,
    ADD COLUMN top_up_id    uuid REFERENCES top_up,
    ADD COLUMN frozen_minor bigint NOT NULL DEFAULT 0 CHECK (frozen_minor BETWEEN 0 AND amount_minor),
    ADD CONSTRAINT chargeback_of_one CHECK (num_nulls(customer_id, top_up_id) IN (0, 2)
                                            AND num_nonnulls(booking_id, customer_id) <= 1);
