"""Container images: the services, and for tests a stand-in for Stripe and a movable clock (docs/containers.md)."""
