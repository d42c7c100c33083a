"""Panels that look at wires: feature maps, the confusion matrix, the decision boundary."""
