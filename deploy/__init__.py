"""What runs the services: the local stack, images, chart, dashboards and alerts."""
