-- What operators do with dead letters (docs/operating.md). dead_letter is small: refused input is limited and ends by
-- itself, the rest waits for a person.
ALTER TABLE dead_letter ADD COLUMN records bigint NOT NULL DEFAULT 1 CHECK (records > 0);
COMMENT ON COLUMN dead_letter.records IS 'how many records it stands for: more than one where they were not kept';

-- refused: input of a client, who was told. unread: a message of ours that this build cannot read. failed: its handler
-- raised. unsendable: a row of the outbox that Kafka does not take.
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_kind_check;
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_kind_check
    CHECK (kind IN ('refused', 'unread', 'failed', 'unsendable'));
UPDATE dead_letter SET kind = 'unsendable' WHERE kind = 'refused' AND topic LIKE 'outbox:%';
UPDATE dead_letter SET kind = 'unread' WHERE kind = 'refused' AND topic LIKE '%.events';

CREATE INDEX dead_letter_waiting ON dead_letter (created_at, id) WHERE status = 'open' AND kind <> 'refused';
CREATE INDEX dead_letter_refused ON dead_letter (created_at, id) WHERE kind = 'refused';
