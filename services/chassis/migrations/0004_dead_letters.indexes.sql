-- How many letters wait for an operator, read every few seconds; how many refused records an hour has already.
CREATE INDEX dead_letter_waiting ON dead_letter (created_at, id) WHERE status = 'open' AND kind <> 'refused';
CREATE INDEX dead_letter_refused ON dead_letter (created_at, id) WHERE kind = 'refused';
