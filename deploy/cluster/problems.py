"""What goes wrong with a cluster."""

from __future__ import annotations


class NoCluster(Exception):
    """None can run on this machine; the message says why, and what would be needed."""


class Failed(Exception):
    """A command in the cluster ended with something else than 0; the message is what it said."""
