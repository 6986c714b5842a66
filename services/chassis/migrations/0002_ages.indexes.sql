-- Ages, for retention and watching.
CREATE INDEX command_receipt_received ON command_receipt (received_at);
CREATE INDEX inbox_received ON inbox (received_at);
CREATE INDEX gateway_call_by_age ON gateway_call (state, opened_at);
CREATE INDEX dead_letter_closed ON dead_letter (created_at) WHERE status <> 'open';
DROP INDEX command_receipt_by_age;
DROP INDEX inbox_by_age;
