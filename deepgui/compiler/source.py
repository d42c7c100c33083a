"""The network as Python that a good engineer would write: one class, no DeepGUI in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx

from deepgui.catalog.spec import LayerSpec, Registry, Value
from deepgui.compiler.call import call_settings, init_settings
from deepgui.compiler.facts import infer
from deepgui.compiler.lower import Lowered, live_nodes, lower
from deepgui.compiler.names import class_name
from deepgui.compiler.report import Report, check
from deepgui.graph.edits import fresh_id
from deepgui.graph.problems import NetworkError
from deepgui.graph.values import Network

WIDTH = 100
_INDENT = " " * 8


def to_python(network: Network, registry: Registry, report: Report | None = None) -> str:
    """Source of a module that computes what :func:`deepgui.compiler.build.build` computes.

    Its attributes have the names of the trained module's layers, so their state dicts are interchangeable.

    Raises:
        NetworkError: if the network has errors.
    """
    report = report or check(network, registry)
    if not report.ok:
        raise NetworkError(report.errors)
    lowered = lower(network, registry, only=live_nodes(network))
    calls = [c for c in lowered.calls.values() if c.op != "placeholder"]
    layers = [_layer(c, report) for c in calls if c.op == "call_module"]
    body = [*_docstring(network, lowered, report)]
    if layers:
        body += ["", "    def __init__(self) -> None:", f"{_INDENT}super().__init__()", *layers]
    body += ["", *_forward(lowered, report)]
    return "\n".join([*_imports(calls), "", "", f"class {class_name(network.name)}(nn.Module):", *body, ""])


def _imports(calls: list[fx.Node]) -> list[str]:
    """torch and nn always; another package by its top-level name."""
    others = {c.meta["spec"].target.rpartition(".")[0] for c in calls if not c.meta["spec"].target.startswith("torch.")}
    return ["import torch", "from torch import nn", *(f"import {module}" for module in sorted(others))]


def _docstring(network: Network, lowered: Lowered, report: Report) -> list[str]:
    inputs = [_type(report, n.id) for n in network.of_kind("Input") if n.id in lowered.calls]
    outputs = [str(o.meta.get("type", "")) or _returned(report, o) for o in lowered.outputs]
    return [f'    """{", ".join(inputs)} → {", ".join(outputs)}, {report.parameters:,} parameters. N is the batch."""']


def _type(report: Report, node: str) -> str:
    return str(report.nodes[node].outputs["output"])


def _returned(report: Report, value: fx.Node) -> str:
    return str(report.nodes[value.meta["node"]].outputs[value.meta["port"]])


# --- __init__ -----------------------------------------------------------------------------------------


def _layer(call: fx.Node, report: Report) -> str:
    spec: LayerSpec = call.meta["spec"]
    inferred = infer(spec, call.meta["params"], report.nodes[call.meta["node"]].inputs)
    arguments = _spoken(spec, init_settings(spec, call.meta["params"], inferred))
    return _call(f"{_INDENT}self.{call.target} = {_short(spec.target)}", arguments)


def _short(target: str) -> str:
    return target.removeprefix("torch.") if target.startswith("torch.nn.") else target


def _spoken(spec: LayerSpec, settings: Mapping[str, Value]) -> list[str]:
    """Sizes by position as everybody writes them (``nn.Conv2d(1, 16, kernel_size=3)``), the rest by name."""
    spoken: list[str] = []
    by_position = True
    for place, param in enumerate(p for p in spec.params if not p.call):
        if param.name not in settings:
            by_position = False
            continue
        by_position = by_position and param.required and place < 2
        text = repr(settings[param.name])
        spoken.append(text if by_position else f"{param.name}={text}")
    return spoken


def _call(head: str, arguments: list[str], tail: str = "") -> str:
    """A call on one line, or one argument a line if it gets too long."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if len(line) <= WIDTH or not arguments:
        return line
    indent = " " * (len(head) - len(head.lstrip()))
    inner = "".join(f"{indent}    {a},\n" for a in arguments)
    return f"{head}(\n{inner}{indent}){tail}"


# --- forward --------------------------------------------------------------------------------------------


def _forward(lowered: Lowered, report: Report) -> list[str]:
    placed = [lowered.calls[n.id] for n in lowered.network.of_kind("Input") if n.id in lowered.calls]
    variables = _variables(lowered, placed)
    parameters = [f"{variables[p]}: torch.Tensor" for p in placed]
    several = len(lowered.outputs) > 1
    result = f"tuple[{', '.join(['torch.Tensor'] * len(lowered.outputs))}]" if several else "torch.Tensor"
    lines = [_call("    def forward", ["self", *parameters], f" -> {result}:")]
    for node in lowered.graph.nodes:
        if node.op in ("call_module", "call_function") and "feeds" in node.meta:
            lines += _statements(lowered, node, variables, report)
    returned = ", ".join(variables[o] for o in lowered.outputs)
    return [*lines, f"{_INDENT}return {returned}"]


def _statements(lowered: Lowered, call: fx.Node, variables: dict[fx.Node, str], report: Report) -> list[str]:
    spec: LayerSpec = call.meta["spec"]
    expression = _expression(call, spec, variables)
    node_report = report.nodes[call.meta["node"]]
    used = {
        port: value
        for (node, port), value in lowered.values.items()
        if node == call.meta["node"] and (value.users or value in lowered.outputs)
    }
    nested = any(p.path for p in spec.active_outputs(call.meta["params"]))
    if not nested:
        shape = node_report.outputs.get("output")
        return [_commented(f"{_INDENT}{variables[call]} = ", expression, str(shape or ""))]
    return [_commented(f"{_INDENT}{_pattern(spec, call, used, variables)} = ", expression, "")]


def _commented(head: str, expression: list[str], comment: str) -> str:
    """The statement with its shape behind it, if both fit."""
    if len(expression) == 1:
        line = head + expression[0]
    else:
        line = _call(head + expression[0], expression[1:])
    if comment and "\n" not in line and len(line) + len(comment) + 4 <= WIDTH:
        return f"{line}  # {comment}"
    return line


def _expression(call: fx.Node, spec: LayerSpec, variables: Mapping[fx.Node, str]) -> list[str]:
    """A callee with its arguments, or one infix expression."""
    given = [_argument(a, variables) for a in call.args]
    if spec.symbol and len(given) == 2:
        return [f"{given[0]} {spec.symbol} {given[1]}"]
    settings = call_settings(spec, call.meta["params"])
    tensors = [f"{k}={_argument(v, variables)}" for k, v in call.kwargs.items() if k not in settings]
    named = [f"{k}={v!r}" for k, v in settings.items()]
    callee = f"self.{call.target}" if call.op == "call_module" else spec.target
    return [callee, *given, *tensors, *named]


def _argument(value: Any, variables: Mapping[fx.Node, str]) -> str:
    if isinstance(value, fx.Node):
        return variables[value]
    if isinstance(value, list):
        return f"[{', '.join(_argument(v, variables) for v in value)}]"
    if isinstance(value, tuple):
        inner = ", ".join(_argument(v, variables) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def _pattern(spec: LayerSpec, call: fx.Node, used: Mapping[str, fx.Node], variables: Mapping[fx.Node, str]) -> str:
    """What a nested result is unpacked into: ``output, (h_n, _)``."""
    tree: dict[int, Any] = {}
    for port in spec.active_outputs(call.meta["params"]):
        place = tree
        for step in port.path[:-1]:
            place = place.setdefault(step, {})
        place[port.path[-1]] = variables[used[port.name]] if port.name in used else "_"
    return _unpacked(tree)


def _unpacked(tree: Mapping[int, Any]) -> str:
    if all(leaf == "_" for leaf in tree.values()):
        return ", ".join("_" for _ in tree)
    parts = []
    for _, leaf in sorted(tree.items()):
        if isinstance(leaf, dict):
            parts.append("_" if all(v == "_" for v in leaf.values()) else f"({_unpacked(leaf)})")
        else:
            parts.append(leaf)
    return ", ".join(parts)


def _variables(lowered: Lowered, inputs: list[fx.Node]) -> dict[fx.Node, str]:
    """A variable for every value that is used: ``x`` along the trunk, the layer's own name off it.

    The trunk is handed on as long as the value it comes from has no other user left: then, and only
    then, may ``x`` be overwritten.
    """
    alone = len(inputs) == 1
    names = {node: "x" if alone else str(node.target) for node in inputs}
    trunk = fresh_id(set() if alone else set(names.values()), "x")
    taken = {trunk, *names.values()}
    position = {node: place for place, node in enumerate(lowered.graph.nodes)}
    holder = inputs[0] if alone else None
    for node in lowered.graph.nodes:
        if node.op in ("output", "placeholder") or not node.meta.get("port"):
            continue
        if holder is None or _free(holder, _call_of(lowered, node), position, lowered.outputs):
            names[node], holder = trunk, node
        else:
            names[node] = fresh_id(taken, str(node.name))
            taken.add(names[node])
    return names


def _call_of(lowered: Lowered, value: fx.Node) -> fx.Node:
    return lowered.calls[value.meta["node"]]


def _free(holder: fx.Node, call: fx.Node, position: Mapping[fx.Node, int], outputs: list[fx.Node]) -> bool:
    """Whether nobody needs the value in ``x`` after ``call`` has run."""
    if holder in outputs or _same_call(holder, call):
        return False
    return all(position[user] <= position[call] for user in holder.users)


def _same_call(value: fx.Node, call: fx.Node) -> bool:
    """Whether the value is another output of the same call."""
    return bool(value.meta["node"] == call.meta["node"])
