-- Events whose booking is not known yet (subscriptions/matching.py), among all timers: few, and none most of the time.
CREATE INDEX local_message_event_waits ON local_message (key) WHERE type = 'local.EventWaits';
