-- A provider's earnings without a payout account are a payout that waits for one; a transfer may be reversed.
ALTER TABLE payout
    ALTER COLUMN account DROP NOT NULL,
    ADD COLUMN reversed_minor bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT payout_status_check;
