-- What was captured, where somebody captured less than the price by hand. Null: the price, or nothing yet.
ALTER TABLE booking ADD COLUMN captured_minor bigint;
