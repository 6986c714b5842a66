"""A real Kubernetes that is built and started here, and the chart on it: docs/operate/cluster.md."""
