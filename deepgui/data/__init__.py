"""Where examples come from: sources, readers, splits, batches."""
