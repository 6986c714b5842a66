-- Who waits for a provider's slots: asked for in every batch that may free the provider (store/plan.py, lines).
CREATE INDEX waitlist_entry_waiting ON waitlist_entry (provider_id) WHERE state = 'WAITING';
