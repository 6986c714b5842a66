"""The console's pages; each module's ROUTES are found by app.py."""
