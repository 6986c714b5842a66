-- How a provider is reached today, as catalogue.events tell. The release before does not know it, and writes to where its
-- bookings' last events said.
CREATE TABLE known_provider (
    provider_id uuid PRIMARY KEY,
    sequence    bigint NOT NULL,
    name        text   NOT NULL,
    email       text   NOT NULL,
    timezone    text   NOT NULL
);
