"""Whether the tables of a network are large enough for the vocabulary that is looked up in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepgui.compiler.report import Report
from deepgui.data.fields import Field
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network

_TABLES = ("Embedding", "EmbeddingBag")


def problems(
    network: Network, report: Report, inputs: Mapping[str, str], fields: Mapping[str, Field]
) -> Iterator[Problem]:
    """Embeddings right behind an Input that have no row for some tokens: looking one up would end the training.

    Args:
        inputs: Input node id → name of the field that it is fed.
    """
    for wire in network.wires:
        node, field = network.nodes[wire.target], fields.get(inputs.get(wire.source, ""))
        if node.kind not in _TABLES or field is None or not field.classes:
            continue
        rows, wanted = report.nodes[node.id].params.get("num_embeddings"), len(field.classes)
        if isinstance(rows, int) and rows < wanted:
            yield Problem(
                "small-vocabulary",
                f"{node.label} has {rows} rows, but {field.name} has {wanted} tokens.",
                node=node.id,
                port="input",
                expected=f"at least {wanted}",
                received=str(rows),
                reason="Every token of the vocabulary is looked up in a row of its own.",
                fix=_enlarged(node.id, node.label, wanted),
            )


def _enlarged(node: str, label: str, wanted: int) -> Fix:
    return Fix(
        f"Set num_embeddings of {label} to {wanted}",
        lambda net: edits.set_params(net, node, {"num_embeddings": wanted}),
    )
