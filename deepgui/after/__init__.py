"""What is done with a trained network afterwards: made smaller, explained, attacked. Its run is never changed."""
