"""What advice had nothing to say of at the last check, so that an edit costs what it changes."""

from __future__ import annotations

from deepgui.compiler.advice.case import Case, is_elementwise
from deepgui.compiler.facts import Facts
from deepgui.graph.values import Node, Wire

Seen = tuple[Node, Facts, tuple[Wire, ...]]


class Silence:
    """The layers of one graph that were fine.

    Advice looks at a layer, at what arrives, and upward past layers that work element by element. So a layer is as
    it was if it, its facts and its wires are, and its sources are; of those that are looked past, also theirs.
    Layers must come in topological order.
    """

    def __init__(self) -> None:
        self._before: dict[str, Seen] = {}
        self._fine: set[str] = set()
        self._steady: set[str] = set()

    def begin(self) -> None:
        """A new check of the same graph."""
        self._steady.clear()

    def holds(self, case: Case) -> bool:
        """Whether there is nothing to say of a layer, since there was nothing and it is as it was."""
        node = case.node
        seen = node, case.facts, case.network.into(node.id)
        before = self._before.get(node.id)
        self._before[node.id] = seen
        same = before is not None and all(a is b for a, b in zip(before, seen, strict=True))
        if same and all(self._source_stays(case, wire.source) for wire in seen[2]):
            self._steady.add(node.id)
            return node.id in self._fine
        return False

    def _source_stays(self, case: Case, source: str) -> bool:
        if source in self._steady:
            return True
        node = case.network.nodes.get(source)
        before = self._before.get(source)
        if before is None:  # an Input, whose type is in the facts of what it feeds
            return node is not None and node.kind == "Input"
        return before[0] is node and node is not None and not is_elementwise(case.registry.get(node.kind))

    def learn(self, case: Case, *, fine: bool) -> None:
        """What was found of a layer."""
        (self._fine.add if fine else self._fine.discard)(case.node.id)
