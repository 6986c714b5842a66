"""What is made for deploy/chart: its schema, its page of values, facts from elsewhere, its package."""
