"""The sample projects, drawn: a module for each kind of data, each with ``SAMPLES``, functions by name."""
