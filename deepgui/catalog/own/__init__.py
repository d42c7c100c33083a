"""Layers of one's own: classes written in Python that a project carries with it."""
