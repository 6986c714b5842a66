-- Until when a subscriber has asked for nothing at all (Retry-After): apart from rest_until, which a success ends. The
-- release before does not know it, and asks on while it runs beside this one.
ALTER TABLE webhook_subscription ADD COLUMN busy_until timestamptz;
