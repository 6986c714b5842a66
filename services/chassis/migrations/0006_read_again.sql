-- What this database has forgotten and Kafka has not: up to where each topic held records when that was noticed
-- (services/chassis/set_back.py). 0 where the log does not hold any more what was forgotten.
CREATE TABLE read_again (
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    until_offset bigint      NOT NULL,
    noticed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);
