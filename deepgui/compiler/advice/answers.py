"""What a network returns, where it is not one row an example."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deepgui.catalog.spec import Value
from deepgui.compiler.advice.case import inserted
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Node

if TYPE_CHECKING:
    from deepgui.compiler.report import NodeReport


def bad_answers(network: Network, nodes: Mapping[str, NodeReport]) -> Iterator[Problem]:
    """Outputs at which the batch is lost, mixed, or not first."""
    for node in network.of_kind("Output"):
        for arriving in nodes[node.id].inputs.get("input", ()):
            if arriving.dims and not arriving.batch_first:
                yield _bad(network, nodes, node, arriving)


def _bad(network: Network, nodes: Mapping[str, NodeReport], node: Node, arriving: TensorType) -> Problem:
    culprit = _culprit(network, nodes, node.id)
    place = f" since {culprit.label}" if culprit else ""
    code, what = "batch-mixed", f"in which the examples of a batch are mixed{place}"
    fix = _whole_examples(culprit, nodes) if culprit else None
    if not any(d.batch for d in arriving.dims):
        code, what = "batch-lost", f"in which the batch got lost{place}"
    elif (turned := _place(arriving)) is not None:
        code, what = "batch-not-first", f"in which the batch N is dimension {turned}{place}"
        fix = _to_front(network, node, turned)
    return Problem(
        code,
        f"{node.label}.input: the network returns {arriving.shape}, {what}.",
        node.id,
        "input",
        expected="N×…",
        received=arriving.shape,
        severity="warning",
        reason="Training compares one row of the output with each example"
        + (f": let {culprit.label} leave dimension 0 as it is." if culprit else "."),
        fix=fix,
    )


def _place(arriving: TensorType) -> int | None:
    """Where the batch is, if it is one whole dimension."""
    places = [i for i, d in enumerate(arriving.dims) if d.batch]
    whole = len(places) == 1 and arriving.dims[places[0]].batch == 1 and not arriving.dims[places[0]].const
    return places[0] if whole else None


def _culprit(network: Network, nodes: Mapping[str, NodeReport], output: str) -> Node | None:
    """The nearest layer behind which the batch is no longer first, though it was before."""
    seen = {output}
    queue = [output]
    while queue:
        for wire in network.into(queue.pop(0)):
            known = nodes.get(wire.source)
            result = known.outputs.get(wire.output) if known else None
            if known is None or result is None or result.batch_first or wire.source in seen:
                continue
            seen.add(wire.source)
            queue.append(wire.source)
            arriving = [t for types in known.inputs.values() for t in types]
            if arriving and all(t.batch_first for t in arriving):
                return network.nodes[wire.source]
    return None


def _whole_examples(node: Node, nodes: Mapping[str, NodeReport]) -> Fix | None:
    """All of an example in a row of its own, joined within the example rather than with the next."""
    if node.kind == "cat":
        return Fix("Set dim to 1", lambda net: edits.set_params(net, node.id, {"dim": 1}))
    arriving = nodes[node.id].inputs.get("input", ())
    if node.kind not in ("reshape", "view") or not arriving:
        return None
    shape = (-1, math.prod(d.const for d in arriving[0].dims[1:]))
    return Fix(f"Set shape to {shape}", lambda net: edits.set_params(net, node.id, {"shape": shape}))


def _to_front(network: Network, node: Node, place: int) -> Fix:
    params: dict[str, Value] = {"dim0": 0, "dim1": place}
    return Fix(
        f"Insert transpose(0, {place})",
        lambda net: inserted(net, network.into(node.id, "input")[0], (("transpose", params),)),
    )
