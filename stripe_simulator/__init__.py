"""A stateful stand-in for Stripe's API, with faults on demand. README.md lists where it differs."""
