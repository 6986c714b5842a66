"""What 1,000, 10,000 and 100,000 sagas a second need: docs/scale.md, calculated and simulated."""
