"""Training in the window: the controller of the run, its settings, its progress and its curves."""
