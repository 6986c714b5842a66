-- The bookings and waitlist entries of a person, as who comes along or as who waits: what `customer erase` looks for.
CREATE INDEX booking_of_attendee ON booking (attendee_id, booking_id) WHERE attendee_id IS NOT NULL;
CREATE INDEX waitlist_entry_of_customer ON waitlist_entry (customer_id, entry_id);
CREATE INDEX waitlist_contact_of_attendee ON waitlist_contact ((attendee ->> 'id'), entry_id)
    WHERE attendee IS NOT NULL;
