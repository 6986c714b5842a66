"""Dashboards for Grafana, JSON made from one description: `python -m deploy.dashboards` (docs/dashboards/README.md)."""
