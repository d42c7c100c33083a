"""What an import has as layers in Python: modules that were chosen for it, and single calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import fx, nn

from deepgui.catalog.own.loading import obstacle
from deepgui.catalog.spec import LayerSpec
from deepgui.graph.values import Code
from deepgui.importers.calls_as_code import CallText
from deepgui.importers.classes_as_code import AsCode
from deepgui.importers.context import Context
from deepgui.importers.draft import Draft
from deepgui.importers.functions import nested
from deepgui.importers.report import Inexpressible
from deepgui.importers.values import Operand
from deepgui.project.trust import trust_for_now


@dataclass
class Ways:
    """Makes nodes of what has no other place in a drawing.

    Attributes:
        modules: those that are a layer in Python as a whole, by id.
    """

    modules: dict[int, AsCode] = field(default_factory=dict)

    def define(self, draft: Draft, held: AsCode) -> LayerSpec:
        """The kind of a module that is a layer in Python."""
        return draft.define(held.code.layer, held.code)

    def call(
        self,
        node: fx.Node,
        context: Context,
        value: Callable[[Any], Operand],
        layer: tuple[str, nn.Module] | None = None,
    ) -> Any:
        """Place a layer in Python for one call.

        Args:
            layer: for a call of a layer, how it is made, and the layer itself.

        Returns:
            What the call returns, with wires for tensors.

        Raises:
            Inexpressible: it cannot be written as code either.
        """
        text = CallText(node, layer[0] if layer else "", f"{type(layer[1]).__name__}Call" if layer else "")
        source = text.source(text.base)
        trust_for_now(source)
        spec = context.draft.define(text.base, Code(source, text.base))
        if why := obstacle(spec.target):
            raise Inexpressible(f"it {why}")
        state = {f"layer.{key}": tensor for key, tensor in layer[1].state_dict().items()} if layer else None
        inputs = {port: value(given) for port, given in text.inputs.items()}
        placed = context.place(spec.kind, inputs, weights=state)
        return nested(spec.active_outputs({}), placed)
