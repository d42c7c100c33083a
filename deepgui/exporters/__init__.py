"""Ways to take a network home."""
