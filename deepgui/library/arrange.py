"""Where the nodes of drawings stand that a script has made: left to right, long chains folded."""

from __future__ import annotations

from dataclasses import replace

from deepgui.catalog.spec import Registry
from deepgui.graph import layout
from deepgui.graph.values import Network
from deepgui.project.values import Project

WIDTH, HEADER, ROW = 184.0, 80.0, 24.0
"""About how large a card is on the canvas, in scene units; a row for every port if there are several."""


def arranged(project: Project, *, networks: bool = True) -> Project:
    """The project with its blocks laid out anew, and its networks unless they stand where they should."""
    # Here and not above: importing the library must not import torch.
    from deepgui.compiler.catalogue import catalogue

    kinds = catalogue(project.blocks)
    blocks = {key: replace(block, network=_arranged(block.network, kinds)) for key, block in project.blocks.items()}
    if not networks:
        return replace(project, blocks=blocks)
    return replace(project, networks={k: _arranged(n, kinds) for k, n in project.networks.items()}, blocks=blocks)


def _arranged(network: Network, kinds: Registry) -> Network:
    sizes = {node: (WIDTH, _height(network, node, kinds)) for node in network.nodes}
    return replace(network, layout=layout.layered(network, sizes))


def _height(network: Network, node: str, kinds: Registry) -> float:
    placed = network.nodes[node]
    spec = kinds[placed.kind]
    inputs = max(len(spec.active_inputs(placed.params)), len(network.into(node)))
    ports = max(inputs, len(spec.active_outputs(placed.params)))
    return HEADER + (ROW * ports if ports > 1 else 0.0)
