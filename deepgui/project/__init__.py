"""The project as a value, its history, and its file. Knows neither torch nor Qt."""
