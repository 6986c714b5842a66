CREATE INDEX stripe_event_received ON stripe_event (received_at);
DROP INDEX stripe_event_by_age;
