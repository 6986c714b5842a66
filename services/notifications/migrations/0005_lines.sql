-- The letter while it waits for those before it to the same person; null once it is on its way. The release before
-- writes and settles rows without it; what it leaves waiting is sent on by a timer (MailWaits).
ALTER TABLE delivery ADD COLUMN mail text;
