"""A team's own service: it hears the booking system's events and sends it commands."""
