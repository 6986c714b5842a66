-- Stripe's events by the PaymentIntent that they are about, or else by their own object.
CREATE INDEX stripe_event_of_object ON stripe_event ((coalesce(body #>> '{data,object,payment_intent}', body #>> '{data,object,id}')));
CREATE INDEX chargeback_of_booking ON chargeback (booking_id) WHERE booking_id IS NOT NULL;
