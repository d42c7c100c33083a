"""What stands between the last layer and an Output."""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.compiler.expert.scene import Scene, remark
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Node


def dropout_at_end(scene: Scene, node: Node) -> Iterator[Problem]:
    """Dropout behind the last layer deletes parts of the answer itself. Inside a block it may be followed by more."""
    found = scene.next(node, ("Identity", "Softmax", "LogSoftmax", "Sigmoid"))
    if not scene.whole or found is None or found[1].kind != "Output":
        return
    yield remark(
        "dropout-at-end",
        node,
        "it deletes parts of the network's answer.",
        expected="Dropout before the last layer",
        received="Dropout after it",
        reason="While training, some of the scores would be 0 whatever the network says. Dropout belongs before the"
        " last layer, which learns to do without any one of its inputs.",
        fix=Fix(f"Remove {node.label}", lambda net: edits.heal_and_remove(net, (node.id,))),
    )
