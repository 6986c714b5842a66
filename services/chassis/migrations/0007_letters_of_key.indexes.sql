-- What was set aside of one key: a person asks by a booking. By hash, because a key that came in may be of any length.
CREATE INDEX dead_letter_of_key ON dead_letter USING hash (key);
