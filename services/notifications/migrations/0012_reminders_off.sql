-- Mailboxes that want no reminders: the beginning of a SHA-256 of the address (model/addresses.py), which can be
-- compared and not read. The release before does not know it, and reminds them while it runs beside this one.
CREATE TABLE reminders_off (
    person bytea PRIMARY KEY CHECK (octet_length(person) = 16),
    since  timestamptz NOT NULL DEFAULT now()
);
