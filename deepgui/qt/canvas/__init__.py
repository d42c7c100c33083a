"""One panel of the window."""
