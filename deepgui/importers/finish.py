"""The last steps of every import: a project that reads well, and its weights under the compiled module's names."""

from __future__ import annotations

from torch import Tensor, nn

from deepgui.catalog.spec import Registry
from deepgui.compiler.build import build
from deepgui.compiler.names import attribute_names
from deepgui.graph import edits, layout
from deepgui.graph.values import Network
from deepgui.importers.draft import Draft
from deepgui.project.values import Project

CARD_WIDTH = 184.0
_HEADER, _ROW = 72.0, 24.0
"""About how large a node is on the canvas, in scene units."""


def finished(network: Network, name: str, registry: Registry) -> Project:
    """A project around an imported network, laid out from left to right."""
    sizes = {node: (CARD_WIDTH, _height(network, node, registry)) for node in network.nodes}
    return Project(name, {"network": edits.move(network, layout.layered(network, sizes))})


def _height(network: Network, node: str, registry: Registry) -> float:
    placed = network.nodes[node]
    spec = registry[placed.kind]
    ports = max(
        len(spec.active_inputs(placed.params)), len(spec.active_outputs(placed.params)), len(network.into(node))
    )
    return _HEADER + (_ROW * ports if ports > 1 else 0.0)


def compiled(draft: Draft, project: Project) -> tuple[nn.Module, dict[str, Tensor]]:
    """The compiled module with the original's weights, and its state dict.

    Raises:
        NetworkError, RuntimeError: the drawing cannot be built, or has other weights.
    """
    module = build(project.main, draft.registry).eval()
    names = attribute_names(project.main)
    held = ((names[node], key, tensor) for node, weights in draft.weights.items() for key, tensor in weights.items())
    state = {f"{name}.{key}" if key else name: tensor for name, key, tensor in held}
    module.load_state_dict(state)
    return module, state
