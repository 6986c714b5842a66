-- The first in line of every size of party, and how many wait.
CREATE INDEX waitlist_entry_line ON waitlist_entry (slot_id, seats, place) WHERE state = 'WAITING';
-- Offers that are over.
CREATE INDEX waitlist_entry_offered ON waitlist_entry (slot_id, deadline) WHERE state = 'OFFERED';
DROP INDEX waitlist_entry_waiting;
CREATE INDEX slot_stranded ON slot (provider_id, starts_at) WHERE stranded;

-- Holds that are over, and a customer's own tries; what a closed slot still has.
CREATE INDEX booking_hold_due ON booking (slot_id, deadline) WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT');
CREATE INDEX booking_hold_of ON booking (slot_id, customer_id) WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT');
CREATE INDEX booking_living_on_slot ON booking (slot_id)
    WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'CONFIRMED');
DROP INDEX booking_pending_on_slot;

-- Quotes that have ended are deleted as new ones are made.
CREATE INDEX cancellation_quote_ending ON cancellation_quote (valid_until);
