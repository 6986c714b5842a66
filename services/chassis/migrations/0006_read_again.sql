-- What this database has forgotten and Kafka has not (services/chassis/set_back.py): up to where a log held records when
-- that was noticed, and up to where they were handled for certain. 0 where the log does not hold them any more.
CREATE TABLE read_again (
    topic         text        NOT NULL,
    partition     integer     NOT NULL,
    until_offset  bigint      NOT NULL,
    handled_until bigint      NOT NULL,
    noticed_at    timestamptz NOT NULL DEFAULT now(),
    read_at       timestamptz,
    PRIMARY KEY (topic, partition)
);
