-- What of lost_minor no bank gives back when it changes its mind.
ALTER TABLE payment ADD COLUMN by_hand_minor bigint NOT NULL DEFAULT 0;
