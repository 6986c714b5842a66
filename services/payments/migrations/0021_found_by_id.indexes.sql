-- Few at any time.
CREATE INDEX stripe_event_set_aside ON stripe_event (received_at) WHERE set_aside IS NOT NULL;
