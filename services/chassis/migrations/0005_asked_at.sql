-- How long an answer takes is known where it is published.
ALTER TABLE outbox ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN outbox.asked_at IS 'of the reply to a command: when that was published, by its publisher''s clock';
