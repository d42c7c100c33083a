"""The runs of a project: found, compared, marked, opened again."""
