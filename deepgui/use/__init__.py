"""What a trained network is used for: asking it about files and texts, making examples, measuring it closely."""
