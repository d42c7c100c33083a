"""The ``forward`` of a class: a statement for every call, ``x`` along the trunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import fx

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import LayerSpec
from deepgui.compiler.build import is_chain
from deepgui.compiler.call import call_settings
from deepgui.compiler.lower import Lowered
from deepgui.compiler.source.drawings import Drawing
from deepgui.compiler.source.scope import Scope
from deepgui.compiler.source.template import written
from deepgui.compiler.source.text import INDENT, called, commented, grouped, unless
from deepgui.graph import blocks
from deepgui.graph.edits import fresh_id


def forward_lines(drawing: Drawing, scope: Scope) -> list[str]:
    """The method, its head included."""
    lowered = drawing.lowered
    placed = [lowered.calls[n.id] for n in lowered.network.of_kind("Input") if n.id in lowered.calls]
    variables = _variables(lowered, placed)
    parameters = [f"{variables[p]}: torch.Tensor" for p in placed]
    several = len(lowered.outputs) > 1
    result = f"tuple[{', '.join(['torch.Tensor'] * len(lowered.outputs))}]" if several else "torch.Tensor"
    lines = [called("    def forward", ["self", *parameters], f" -> {result}:")]
    for node in lowered.graph.nodes:
        if node.op in ("call_module", "call_function") and "feeds" in node.meta:
            lines += _statements(drawing, scope, node, variables)
    returned = ", ".join(variables[o] for o in lowered.outputs)
    return [*lines, f"{INDENT}return {returned}"]


def _statements(drawing: Drawing, scope: Scope, call: fx.Node, variables: dict[fx.Node, str]) -> list[str]:
    spec: LayerSpec = call.meta["spec"]
    if _is_row(call, spec):
        return _loop(drawing, call, variables)
    expression = _expression(drawing, scope, call, variables)
    if any(p.path for p in spec.active_outputs(call.meta["params"])):
        pattern = _pattern(spec, call, _used(drawing.lowered, call), variables)
        return [commented(f"{INDENT}{pattern} = ", expression, "")]
    if _is_chosen(drawing, call):
        first = variables[next(iter(call.meta["feeds"].values()))[0]]
        made = expression[0] if len(expression) == 1 else f"{expression[0]}({', '.join(expression[1:])})"
        bypass = scope.in_forward(drawing.drawn(call.meta["node"]).bypass)
        return [unless(f"{INDENT}{variables[call]} = ", bypass, made, first)]
    return [commented(f"{INDENT}{variables[call]} = ", expression, _shape(drawing, call))]


def _is_chosen(drawing: Drawing, call: fx.Node) -> bool:
    """Whether some instances do without a call whose place no ``nn.Identity`` can take."""
    node = call.meta["node"]
    several = call.op == "call_function" or sum(map(len, call.meta["feeds"].values())) > 1
    return several and len(drawing.having(node)) < len(drawing.instances)


def _shape(drawing: Drawing, call: fx.Node) -> str:
    """What comes out, if it is the same wherever the class is used."""
    found = {str(r.outputs.get("output", "")) for r in drawing.reports(call.meta["node"])}
    return found.pop() if len(found) == 1 else ""


def _used(lowered: Lowered, call: fx.Node) -> dict[str, fx.Node]:
    """The values of a call's outputs that somebody uses, by port."""
    return {
        port: value
        for (node, port), value in lowered.values.items()
        if node == call.meta["node"] and (value.users or value in lowered.outputs)
    }


def _is_row(call: fx.Node, spec: LayerSpec) -> bool:
    """Whether a call stands for a list of blocks that has to be walked through."""
    return spec.form == "block" and blocks.REPEAT.name in call.meta["params"] and not is_chain(spec)


def _loop(drawing: Drawing, call: fx.Node, variables: dict[fx.Node, str]) -> list[str]:
    """``for layer in self.layers: x = layer(x, memory)``"""
    spec: LayerSpec = call.meta["spec"]
    used = _used(drawing.lowered, call)
    given = [variables[call.meta["feeds"][p.name][0]] for p in spec.inputs]
    flowing = [variables[used[p.name]] if p.name in used else f"{call.target}_{p.name}" for p in spec.outputs]
    lines = [f"{INDENT}{a} = {b}" for a, b in zip(flowing, given, strict=False) if a != b]
    arguments = ", ".join([*flowing, *given[len(flowing) :]])
    step = fresh_id(set(variables.values()), "layer")
    return [
        *lines,
        f"{INDENT}for {step} in self.{call.target}:",
        f"{INDENT}    {', '.join(flowing)} = {step}({arguments})",
    ]


def _expression(drawing: Drawing, scope: Scope, call: fx.Node, variables: Mapping[fx.Node, str]) -> list[str]:
    """A callee with its arguments, or one infix expression."""
    spec: LayerSpec = call.meta["spec"]
    settings = call_settings(spec, call.meta["params"])
    drawn = drawing.drawn(call.meta["node"]).params
    said = {k: scope.in_forward(drawn[k]) if isinstance(drawn.get(k), Expr) else repr(v) for k, v in settings.items()}
    if spec.symbol or (spec.source and spec.form == "function"):
        fed = {port: [variables[v] for v in values] for port, values in call.meta["feeds"].items()}
        texts = {**fed, **{k: [grouped(t) if isinstance(drawn.get(k), Expr) else t] for k, t in said.items()}}
        if spec.symbol:
            return [f" {spec.symbol} ".join(texts[p.name][0] for p in spec.inputs)]
        several = {p.name for p in spec.inputs if p.variadic}
        return written(spec, {name: text if name in several else text[0] for name, text in texts.items()})
    given = [_argument(a, variables) for a in call.args]
    tensors = [f"{k}={_argument(v, variables)}" for k, v in call.kwargs.items() if k not in settings]
    callee = f"self.{call.target}" if call.op == "call_module" else spec.target
    return [callee, *given, *tensors, *(f"{k}={text}" for k, text in said.items())]


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
    repeated = any(p.repeat for p in spec.outputs)
    # An output that the settings switch off is still there in the result, as None.
    for port in spec.active_outputs(call.meta["params"]) if repeated else [p for p in spec.outputs if p.path]:
        place = tree
        for step in port.path[:-1]:
            place = place.setdefault(step, {})
        place[port.path[-1]] = variables[used[port.name]] if port.name in used else "_"
    return _unpacked(tree) + ("," if len(tree) == 1 else "")


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
    """A variable for every value that is used: ``x`` along the trunk, ``y`` along a branch, else the layer's name.

    The trunk is where all that is known so far comes together in one value; a branch ends at a value that several
    use. A variable is handed on as long as the value in it has no other user left: then, and only then, may it be
    overwritten.
    """
    alone = len(inputs) == 1
    names = {node: "x" if alone else str(node.target) for node in inputs}
    trunk = "x"
    position = {node: place for place, node in enumerate(lowered.graph.nodes)}
    holder = next((node for node in inputs if names[node] == trunk), None)
    branches: list[list[fx.Node]] = []
    needed: dict[fx.Node, int] = {}  # until when, for the values that are still to be used
    for node in lowered.graph.nodes:
        if node.op == "get_attr":
            names[node] = f"self.{node.target}"
        if node.op in ("output", "placeholder", "get_attr") or not node.meta.get("port"):
            continue
        call = _call_of(lowered, node)
        needed = {value: last for value, last in needed.items() if last > position[call]}
        together = not needed and not _has_siblings(node, call)
        needed[node] = max((position[user] for user in node.users if user.op != "output"), default=0)
        if together and (holder is None or _free(holder, node, call, position, lowered.outputs)):
            names[node], holder = trunk, node
            continue
        given = [value for values in call.meta["feeds"].values() for value in values]
        ends = [b for b in branches if b[-1] in given and len(b[-1].users) == 1]
        ends = [b for b in ends if _free(b[-1], node, call, position, lowered.outputs)]
        if ends:
            min(ends, key=lambda b: given.index(b[-1])).append(node)
        else:
            branches.append([node])
    return names | _named(branches, {trunk, *names.values()}, position)


def _named(branches: list[list[fx.Node]], taken: set[str], position: Mapping[fx.Node, int]) -> dict[fx.Node, str]:
    """Names for the values of each branch: ``y`` for a long one that has none so long beside it, else its end's."""
    names: dict[fx.Node, str] = {}
    long = [b for b in branches if len(b) > 1]
    spans = [(position[b[0]], max(position[user] for node in b for user in node.users), len(b)) for b in long]
    longest = {
        branch[0]
        for branch, (start, end, length) in zip(long, spans, strict=True)
        if sum(first < end and start < last and length <= other for first, last, other in spans) == 1  # itself
    }
    for branch in branches:
        name = fresh_id(taken, "y" if branch[0] in longest else str(branch[-1].name))
        if name != "y":
            taken.add(name)
        names |= dict.fromkeys(branch, name)
    return names


def _call_of(lowered: Lowered, value: fx.Node) -> fx.Node:
    return lowered.calls[str(value.meta["node"])]


def _free(
    holder: fx.Node, value: fx.Node, call: fx.Node, position: Mapping[fx.Node, int], outputs: list[fx.Node]
) -> bool:
    """Whether nobody needs what is in ``x`` once ``call`` has put ``value`` there."""
    if holder in outputs or _same_call(holder, call) or not _may_overwrite(holder, value, call):
        return False
    return all(position[user] <= position[call] for user in holder.users)


def _may_overwrite(holder: fx.Node, value: fx.Node, call: fx.Node) -> bool:
    """In a loop, ``x`` may be written only where it is read again: every pass needs the other inputs as they were."""
    spec: LayerSpec = call.meta["spec"]
    if not _is_row(call, spec):
        return True
    reads = [place for place, port in enumerate(spec.inputs) if call.meta["feeds"][port.name][0] is holder]
    writes = [port.name for port in spec.outputs].index(value.meta["port"])
    return not reads or reads == [writes]


def _has_siblings(value: fx.Node, call: fx.Node) -> bool:
    """Whether several outputs of a call are gone on with."""
    return value is not call and sum(any(u.op != "output" for u in part.users) for part in call.users) > 1


def _same_call(value: fx.Node, call: fx.Node) -> bool:
    """Whether the value is another output of the same call."""
    return bool(value.meta["node"] == call.meta["node"])
