"""The trainer as plain Python that yields events, and the thread that drives it."""
