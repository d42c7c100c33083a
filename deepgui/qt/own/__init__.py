"""Layers of one's own in the window: the editor, the question of trust, and the file beside the project."""
