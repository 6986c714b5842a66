-- Why an event of Stripe's could not be kept; its body is then empty, and Stripe has it for 30 days.
ALTER TABLE stripe_event ADD COLUMN set_aside text;

-- Where a provider is paid today, as catalogue.events tell.
CREATE TABLE provider_account (
    provider_id uuid PRIMARY KEY,
    account     text,
    changed_at  timestamptz NOT NULL DEFAULT now()
);
