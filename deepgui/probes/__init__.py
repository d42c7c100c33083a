"""What can be seen on a wire."""
