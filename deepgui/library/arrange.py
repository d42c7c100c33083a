"""Where the nodes of drawings stand that a script has made: left to right, long chains folded."""

from __future__ import annotations

from dataclasses import replace

from deepgui.graph import layout
from deepgui.graph.values import Network
from deepgui.project.values import Project

WIDTH, HEADER, ROW = 184.0, 72.0, 24.0
"""About how large a card is on the canvas, in scene units; a row for every port if there are several."""


def arranged(project: Project) -> Project:
    """The project with every drawing of it laid out anew."""
    networks = {key: _arranged(network) for key, network in project.networks.items()}
    blocks = {key: replace(block, network=_arranged(block.network)) for key, block in project.blocks.items()}
    return replace(project, networks=networks, blocks=blocks)


def _arranged(network: Network) -> Network:
    sizes = {node: (WIDTH, _height(network, node)) for node in network.nodes}
    return replace(network, layout=layout.layered(network, sizes))


def _height(network: Network, node: str) -> float:
    ports = max(len(network.into(node)), len({w.output for w in network.out_of(node)}))
    return HEADER + (ROW * ports if ports > 1 else 0.0)
