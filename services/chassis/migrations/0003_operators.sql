-- What operators do with dead letters (docs/operating.md).
ALTER TABLE dead_letter ADD COLUMN records bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN dead_letter.records IS 'how many records it stands for: more than one where they were not kept';

-- refused: input of a client, who was told. unread: a message of ours that this build cannot read. failed: its handler
-- raised. unsendable: a row of the outbox that Kafka does not take.
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_kind_check;
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_kind_check
    CHECK (kind IN ('refused', 'unread', 'failed', 'unsendable')) NOT VALID;
UPDATE dead_letter SET kind = 'unsendable' WHERE kind = 'refused' AND topic LIKE 'outbox:%';
UPDATE dead_letter SET kind = 'unread' WHERE kind = 'refused' AND topic LIKE '%.events';
