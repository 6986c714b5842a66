"""What operators do from the console; each module's ACTS are found by app.py. framework.py says how one is done."""
