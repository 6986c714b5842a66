"""Measures the system; every run is checked at its end, a wrong result is no figure."""
