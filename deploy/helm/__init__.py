"""What is made for deploy/chart: its schema, its page of values, the facts that it takes from elsewhere, its package."""
