"""The last steps of every import: a project that reads well, and its weights under the compiled module's names."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from deepgui.catalog.spec import Registry
from deepgui.compiler.build import build
from deepgui.compiler.names import attribute_names
from deepgui.graph import edits, layout
from deepgui.graph.blocks import with_blocks
from deepgui.graph.values import Network
from deepgui.importers.hierarchy import Grouped
from deepgui.project.values import Project

CARD_WIDTH = 184.0
_HEADER, _ROW = 72.0, 24.0
"""About how large a node is on the canvas, in scene units."""


def finished(drawn: Grouped, name: str, registry: Registry) -> Project:
    """A project around an imported network and its blocks, each laid out from left to right."""
    known = with_blocks(registry, drawn.blocks)
    blocks = {n: replace(b, network=_laid_out(b.network, known)) for n, b in drawn.blocks.items()}
    return Project(name, {"network": _laid_out(drawn.network, known)}, blocks=blocks)


def _laid_out(network: Network, registry: Registry) -> Network:
    sizes = {node: (CARD_WIDTH, _height(network, node, registry)) for node in network.nodes}
    return edits.move(network, layout.layered(network, sizes))


def _height(network: Network, node: str, registry: Registry) -> float:
    placed = network.nodes[node]
    spec = registry[placed.kind]
    ports = max(
        len(spec.active_inputs(placed.params)), len(spec.active_outputs(placed.params)), len(network.into(node))
    )
    return _HEADER + (_ROW * ports if ports > 1 else 0.0)


def compiled(drawn: Grouped, project: Project, registry: Registry) -> tuple[nn.Module, dict[str, Tensor]]:
    """The compiled module with the original's weights, and its state dict.

    Raises:
        NetworkError, RuntimeError: the drawing cannot be built, or has other weights.
    """
    module = build(project.main, with_blocks(registry, project.blocks)).eval()
    names = attribute_names(project.main)
    held = ((names[node], key, tensor) for node, weights in drawn.weights.items() for key, tensor in weights.items())
    state = {f"{name}.{key}" if key else name: tensor for name, key, tensor in held}
    module.load_state_dict(state)
    return module, state
