-- A constant default: no row is written.
ALTER TABLE slot ADD COLUMN own_capacity boolean NOT NULL DEFAULT true;
