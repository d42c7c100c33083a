"""One class: its docstring, constructor and ``forward``."""

from __future__ import annotations

from textwrap import fill

from deepgui.compiler.source.drawings import Argument, Drawing, Instance
from deepgui.compiler.source.forward import forward_lines
from deepgui.compiler.source.layers import keep_lines, layer_lines
from deepgui.compiler.source.scope import Scope
from deepgui.compiler.source.text import INDENT, WIDTH, called
from deepgui.graph import blocks


def class_source(drawing: Drawing) -> str:
    """The source of a drawing's class. What the constructor takes is left in ``drawing.signature``."""
    scope = Scope(drawing)
    layers = layer_lines(drawing, scope)
    forward = forward_lines(drawing, scope)
    drawing.signature = scope.signature()
    body = [f"class {drawing.name}(nn.Module):", _docstring(drawing)]
    if layers or drawing.signature:
        head = called("    def __init__", ["self", *map(_parameter, drawing.signature)], " -> None:")
        body += ["", head, f"{INDENT}super().__init__()", *keep_lines(scope), *layers]
    return "\n".join([*body, "", *forward])


def _parameter(argument: Argument) -> str:
    default = f" = {argument.default}" if argument.default else ""
    return f"{argument.name}: {argument.annotation}{default}"


def _docstring(drawing: Drawing) -> str:
    """Shapes in and out, and the number of parameters; of a block that is used in several ways, an example."""
    said = list(dict.fromkeys(_facts(i) for i in drawing.instances))
    example = "For instance " if len(said) > 1 else ""
    summary = _summary(drawing)
    line = f'    """{summary}{example}{said[0]}. N is the batch."""'
    if len(line) <= WIDTH:
        return line
    facts = fill(f"{example}{said[0]}. N is the batch.", WIDTH, initial_indent="    ", subsequent_indent="    ")
    if not summary:
        return f'    """{facts.lstrip()}\n    """'
    words = fill(summary.strip(), WIDTH, initial_indent='    """', subsequent_indent="    ")
    return f'{words}\n\n{facts}\n    """'


def _summary(drawing: Drawing) -> str:
    block = next((b for b in blocks.blocks_of(drawing.registry).values() if b.network is drawing.network), None)
    text = " ".join(block.summary.split()) if block is not None else ""
    text = text.replace("\\", "/").replace('"', "'").rstrip(".")
    return f"{text}. " if text else ""


def _facts(instance: Instance) -> str:
    nodes, network = instance.report.nodes, instance.network
    inputs = ", ".join(str(nodes[n.id].outputs["output"]) for n in network.of_kind("Input") if nodes[n.id].outputs)
    given = (nodes[n.id].inputs.get("input", ()) for n in network.of_kind("Output"))
    outputs = ", ".join(str(types[0]) for types in given if types)
    return f"{inputs} → {outputs}, {instance.report.parameters:,} parameters"
