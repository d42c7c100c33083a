"""What can be placed on the canvas: layer declarations and where they come from.

Only :mod:`deepgui.catalog.spec` is free of torch; everything else in this package may import it.
"""
