-- A dead letter, a letter to somebody, a webhook, a refund, a job: subjects that are ids, and no longer. Filters in words
-- may be longer than an index takes, and who looked has changed nothing.
CREATE INDEX operator_log_of_thing ON operator_log (subject, entry_id) WHERE act <> 'look' AND length(subject) <= 128;
