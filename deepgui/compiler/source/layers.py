"""The constructor: a line for every layer, and a row for every repeated block."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import LayerSpec, Value
from deepgui.compiler.build import is_chain
from deepgui.compiler.call import init_settings
from deepgui.compiler.facts import infer
from deepgui.compiler.source.drawings import Argument, Drawing, Instance
from deepgui.compiler.source.scope import UNKNOWN, Scope, over
from deepgui.compiler.source.template import by_name, written
from deepgui.compiler.source.text import INDENT, called, row, short, unless
from deepgui.compiler.tensors import is_tensor, text
from deepgui.compiler.ties import ties
from deepgui.graph import blocks
from deepgui.graph.values import Node


def layer_lines(drawing: Drawing, scope: Scope) -> list[str]:
    """The statements that construct the layers, in the order in which the compiler constructs them."""
    lines: list[str] = []
    made: set[str] = set()
    for node_id, call in drawing.lowered.calls.items():
        attribute = str(call.target)
        if call.op not in ("call_module", "get_attr") or attribute in made:
            continue
        made.add(attribute)
        node = drawing.drawn(_owner(drawing, node_id, attribute))
        lines.append(_line(drawing, scope, node, drawing.registry[node.kind], attribute))
    first = drawing.instances[0]
    names = drawing.lowered.names
    for node_id, tied in ties(drawing.lowered, first.report).items():
        other = names[drawing.drawn(node_id).shares]
        lines += [f"{INDENT}self.{names[node_id]}.{name} = self.{other}.{name}" for name in tied]
    return lines


def _owner(drawing: Drawing, node_id: str, attribute: str) -> str:
    return node_id if drawing.lowered.names[node_id] == attribute else drawing.drawn(node_id).shares


def _line(drawing: Drawing, scope: Scope, node: Node, spec: LayerSpec, attribute: str) -> str:
    head = f"{INDENT}self.{attribute} = "
    if is_tensor(spec):
        tensor = text(spec, by_name(spec, _settings(drawing, scope, node, spec)))
        if spec.form == "parameter":
            return called(f"{head}nn.Parameter", [tensor])
        return called(f"{INDENT}self.register_buffer", [f'"{attribute}"', tensor])
    if spec.form == "block":
        inner = drawing.inner[node.kind]
        callee, arguments = inner.name, [a for arg in inner.signature if (a := _argument(drawing, scope, node, arg))]
        count = node.params.get(blocks.REPEAT.name)
        if count is not None:
            around = "nn.Sequential" if is_chain(spec) else "nn.ModuleList"
            if not inner.instances:
                return f"{head}{around}()"
            each = f"for {_counter(arguments)} in range({scope.written(count)})"
            return row(f"{head}{around}", "*" if is_chain(spec) else "", f"{callee}({', '.join(arguments)})", each)
    else:
        callee, arguments = short(spec.target), _settings(drawing, scope, node, spec)
        if spec.source:
            callee, *arguments = written(spec, by_name(spec, arguments))
    if isinstance(node.bypass, Expr) and len(drawing.having(node.id)) < len(drawing.instances):
        return unless(head, scope.written(node.bypass), f"{callee}({', '.join(arguments)})", "nn.Identity()")
    return called(f"{head}{callee}", arguments)


def _counter(arguments: list[str]) -> str:
    """The variable of a row: ``index`` if an argument asks for it."""
    return blocks.INDEX if any(re.search(rf"\b{blocks.INDEX}\b", a) for a in arguments) else "_"


# --- a layer ------------------------------------------------------------------------------------------


def _settings(drawing: Drawing, scope: Scope, node: Node, spec: LayerSpec) -> list[str]:
    """Sizes by position as everybody writes them (``nn.Conv2d(1, 16, kernel_size=3)``), the rest by name."""
    each = {i: _instance_settings(i, node.id, spec) for i in drawing.having(node.id)}
    spoken: list[str] = []
    by_position = True
    for place, param in enumerate(p for p in spec.params if not p.call):
        if not any(param.name in settings for settings in each.values()):
            by_position = False
            continue
        by_position = by_position and param.required and place < 2
        if param.name in node.params and node.params[param.name] is not None:
            text = scope.written(node.params[param.name])
        else:
            values = {i: s.get(param.name, spec.value({}, param.name)) for i, s in each.items()}
            text = (
                scope.inferred(over(drawing, values), param.name) if param.infer else repr(next(iter(values.values())))
            )
        text = f"torch.tensor({text})" if param.tensor and text != "None" else text
        spoken.append(text if by_position else f"{param.name}={text}")
    return spoken


def _instance_settings(instance: Instance, node_id: str, spec: LayerSpec) -> Mapping[str, Value]:
    params = instance.network.nodes[node_id].params
    return init_settings(spec, params, infer(spec, params, instance.report.nodes[node_id].inputs))


# --- a block -------------------------------------------------------------------------------------------


def _argument(drawing: Drawing, scope: Scope, node: Node, argument: Argument) -> str:
    """One argument of a block's class, or nothing if its default is meant."""
    own = {p.name: p for p in drawing.inner[node.kind].params}
    param = next((p for p in own.values() if p.name == argument.name or f"{p.name}_" == argument.name), None)
    given = node.params.get(param.name) if param is not None else None
    if param is not None and argument.size and given is not None:
        return scope.written(given)
    if param is not None and not argument.size:
        if param.name in node.params:
            text = scope.written(node.params[param.name])
        elif argument.default:
            return ""
        else:
            text = repr(param.default)
        return f"{argument.name}={text}"
    rows = [[argument.values[i] for i in instance.uses.get(node.id, ())] for instance in drawing.instances]
    return _size(scope, rows, argument.name)  # sizes come first and by position


def _size(scope: Scope, rows: Sequence[Sequence[Value]], name: str) -> str:
    """A size in a row of blocks: for each instance of the class that is being written, its values along the row."""
    if all(len(set(row)) <= 1 for row in rows):
        return scope.inferred([row[0] if row else UNKNOWN for row in rows], name)
    first = scope.inferred([row[0] if row else UNKNOWN for row in rows], name)
    if all(len(set(row[1:])) <= 1 for row in rows):
        rest = scope.inferred([row[1] if len(row) > 1 else UNKNOWN for row in rows], name)
        return f"{first} if {blocks.INDEX} == 0 else {rest}"
    steps: list[Any] = [_step(row) for row in rows]
    if all(step is not None for step in steps):
        return f"{first} + {scope.inferred(steps, f'{name}_step')} * {blocks.INDEX}"
    return f"{scope.inferred([tuple(row) for row in rows], f'all_{name}')}[{blocks.INDEX}]"


def _step(row: Sequence[Any]) -> Any:
    """By how much each value is larger than the one before; None if that differs."""
    if len(row) < 2:
        return UNKNOWN
    steps = {b - a for a, b in pairwise(row)}
    return steps.pop() if len(steps) == 1 else None


def keep_lines(scope: Scope) -> list[str]:
    """Arguments that ``forward`` needs."""
    return [f"{INDENT}self.{name} = {name}" for name in scope.kept]
