"""Layer kinds that come with an extra: named here so that a project which uses them says what to install."""

from __future__ import annotations

GRAPH_LAYERS = (
    *("GCNConv", "GATConv", "GATv2Conv", "SAGEConv", "GINConv", "GraphConv", "TransformerConv", "ChebConv"),
    *("GraphNorm", "PairNorm", "TopKPooling", "SAGPooling"),
    *("global_mean_pool", "global_add_pool", "global_max_pool"),
)
"""Layers of PyTorch Geometric."""

EXTRAS = dict.fromkeys(GRAPH_LAYERS, "graph")
"""The extra (``pip install deepgui[graph]``) by kind."""
