-- Why an event of Stripe's could not be kept; its body is then empty, and Stripe has it for 30 days.
ALTER TABLE stripe_event ADD COLUMN set_aside text;
