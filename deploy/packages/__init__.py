"""Wheels and sdists of our distributions, and the Pythons that they are tested on."""
