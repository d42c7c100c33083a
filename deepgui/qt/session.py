"""What all panels look at: the document, the network in view, its report, and the selection."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Registry, Value
from deepgui.graph.blocks import REPEAT, repeats, steps, with_blocks
from deepgui.graph.values import Block, Network, Node
from deepgui.project.document import Document
from deepgui.project.values import Project, main_key, with_block, with_network

AT_ONCE = 0.012
"""A check that last took less than so many seconds is made within the edit, another once the edit has been painted."""

if TYPE_CHECKING:
    from deepgui.compiler.report import Inside, Report
    from deepgui.training.bindings import Offer


class Checker(Protocol):
    """What finds out about drawings once torch is there."""

    def network(self, project: Project, key: str) -> Report:
        """The report of one of a project's networks."""

    def block(self, project: Project, whole: Report | None, name: str, path: str) -> Inside:
        """What is inside a block: in the use at ``path`` in the whole, or with its parameters' defaults."""


@dataclass(frozen=True)
class Level:
    """A step inward: the block, and the node it was entered by (``stage``, or ``stage.2`` in a row).

    An empty ``step`` means the block as such, used nowhere in particular.
    """

    block: str
    step: str

    @property
    def node(self) -> str:
        """The node it was entered by; empty if by none."""
        return self.step.partition(".")[0]

    @property
    def place(self) -> int | None:
        """Which one of a row was entered, from 0; None if it is no row."""
        place = self.step.partition(".")[2]
        return int(place) if place else None


class Session(QObject):
    """The state that panels share. Panels read it, listen to it, and edit only through :meth:`edit`.

    What is in view is the project's network, or the drawing of a block: :attr:`levels` says how one got there.

    Attributes:
        whole: the report of the project's network, blocks included; what training, problems and code go by.
        report: the report of what is in view; inside a block, of the use that was entered.
        values: the values of the block's parameters there, ``index`` among them in a row; empty outside of blocks.

    Signals:
        document_replaced: another project was opened; start over.
        changed(before, after): the project's value changed; compare by identity and redraw what differs.
        level_changed: another drawing is in view: a block, or another network.
        report_changed(report): shapes, counts and problems of the drawing in view are known anew.
        selection_changed: :attr:`selection` is another set.
        registry_ready: the catalogue can be used.
        rechecked: what the project's own code may do has changed.
        offer_changed: :attr:`offer`, what can be fed to the Inputs, is known anew.
        code_requested(kind): somebody wants to see the code of a layer of one's own; empty for a new one.
    """

    document_replaced = Signal()
    changed = Signal(object, object)
    report_changed = Signal(object)
    level_changed = Signal()
    selection_changed = Signal()
    registry_ready = Signal()
    rechecked = Signal()
    code_requested = Signal(str)
    offer_changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalogue = Registry()
        self.levels: tuple[Level, ...] = ()
        self.whole: Report | None = None
        self.report: Report | None = None
        self.values: Mapping[str, Value] = {}
        self.selection: frozenset[str] = frozenset()
        self.offer: Offer | None = None
        self._checker: Checker | None = None
        self._took = math.inf
        self._check_timer = QTimer(self)
        self._check_timer.setSingleShot(True)
        self._check_timer.setInterval(0)
        self._check_timer.timeout.connect(self._check)
        self._adopt(document)

    def _adopt(self, document: Document) -> None:
        self.document = document
        self.levels = ()
        self.key = main_key(document.project)
        self._unlisten = document.changed.connect(self._on_change)

    @property
    def project(self) -> Project:
        return self.document.project

    @property
    def network(self) -> Network:
        """The drawing in view."""
        if self.levels:
            return self.project.blocks[self.levels[-1].block].network
        return self.main

    @property
    def main(self) -> Network:
        """The project's network, whatever is in view."""
        return self.project.networks.get(self.key) or self.project.main

    @property
    def block(self) -> Block | None:
        """The block whose drawing is in view, if it is one."""
        return self.project.blocks[self.levels[-1].block] if self.levels else None

    def path(self, node: str) -> str:
        """What reports and probes call a node of the drawing in view: ``stage.2.conv`` inside the third of a row.

        Where a block is looked at as such, nothing flows, and it is a name that no node has: ``=Stage.conv``.
        """
        return ".".join((*(level.step or f"={level.block}" for level in self.levels), node))

    def enter(self, node: str, instance: int = 0) -> None:
        """Look into a block that is used in the drawing in view. Does nothing for other nodes."""
        used = self.network.nodes.get(node)
        if used is not None and self.is_written(used.kind):
            self.code_requested.emit(used.kind)
        elif used is not None and used.kind in self.project.blocks:
            step = node if _count(used, self.report) is None else f"{node}.{instance}"
            self._go((*self.levels, Level(used.kind, step)))

    def in_row(self, depth: int) -> int | None:
        """How many stand in the row that a level was entered by; None if it is no row."""
        drawing, report = self.main, self.whole
        if depth and self._checker is not None:
            around, way = self.levels[depth - 1].block, self._way(depth)
            drawing = self.project.blocks[around].network
            report = self._checker.block(self.project, self.whole, around, way).report
        used = drawing.nodes.get(self.levels[depth].node)
        return _count(used, report) if used is not None else None

    def step(self, place: int) -> None:
        """Look into another one of the row that the drawing in view was entered by; what is selected stays so."""
        if self.levels and self.levels[-1].place not in (None, place):
            kept, last = self.selection, self.levels[-1]
            self._go((*self.levels[:-1], Level(last.block, f"{last.node}.{place}")))
            self.select(kept)

    def show(self, path: str, *, here: bool = False) -> None:
        """Go to where a node is and select it: ``stage.2.conv`` is inside the third of a row.

        Args:
            here: the path starts in the drawing in view, not in the project's network.
        """
        way = steps(self.network if here else self.main, self.project.blocks, path)
        if way:
            *inward, (node, _) = way
            levels = (Level(n.kind, n.id if place is None else f"{n.id}.{place}") for n, place in inward)
            self._go((*(self.levels if here else ()), *levels))
            self.select((node.id,))

    def show_block(self, name: str) -> None:
        """Look at a block as such: with the parameters' defaults and the shapes set for its Inputs."""
        if self.is_written(name):
            self.code_requested.emit(name)
        elif name in self.project.blocks:
            self._go((Level(name, ""),))

    def is_written(self, kind: str) -> bool:
        """Whether a kind is a layer that the project has in Python."""
        block = self.project.blocks.get(kind)
        return block is not None and block.code is not None

    def recheck(self) -> None:
        """Check again, since code may run now that could not before, or does something else."""
        self.rechecked.emit()
        self._check_timer.start()

    def show_network(self, key: str) -> None:
        """Look at another of the project's networks. Does nothing for one that there is not."""
        if key == self.key or key not in self.project.networks:
            return
        self.key, self.levels, self.selection = key, (), frozenset()
        self.whole = self.report = None
        self.level_changed.emit()
        self.selection_changed.emit()
        self._check()

    def leave(self, depth: int | None = None) -> None:
        """Go up one level, or to a depth: 0 is the network itself."""
        self._go(self.levels[: max(0, len(self.levels) - 1 if depth is None else depth)])

    def _follow(self, levels: tuple[Level, ...]) -> None:
        """Be where the levels lead after an edit; in a block that is only called otherwise one looks at the same."""
        if len(levels) == len(self.levels) and [v.step for v in levels] == [v.step for v in self.levels]:
            renamed, self.levels = levels != self.levels, levels
            if renamed:
                self.level_changed.emit()
        else:
            self._go(levels)

    def _go(self, levels: tuple[Level, ...]) -> None:
        if levels != self.levels:
            self.levels = levels
            self.selection = frozenset()
            self._view_report()
            self.level_changed.emit()
            self.selection_changed.emit()
            if self.report is not None:
                self.report_changed.emit(self.report)

    def _still_there(self) -> tuple[Level, ...]:
        """The levels as far as they still lead somewhere: an undo may have taken a block away.

        A block that is called something else now, or a row that has become shorter, is stayed in.
        """
        network, found = self.main, []
        for level in self.levels:
            used = network.nodes.get(level.node)
            if level.step and used is not None and used.kind in self.project.blocks:
                level = Level(used.kind, _step(used, level.place))
            elif level.step or level.block not in self.project.blocks:
                break
            found.append(level)
            network = self.project.blocks[level.block].network
        return tuple(found)

    def open(self, document: Document) -> None:
        """Look at another document."""
        self._unlisten()
        self._adopt(document)
        self.report = self.whole = None
        self.select(())
        self.document_replaced.emit()
        self._check_timer.start()

    def edit(self, label: str, change: Callable[[Network], Network], merge: Hashable | None = None) -> None:
        """Apply an edit to the network in view as one undo step."""
        self.edit_with_blocks(label, lambda project, network: (project, change(network)), merge)

    def edit_with_blocks(
        self, label: str, change: Callable[[Project, Network], tuple[Project, Network]], merge: Hashable | None = None
    ) -> None:
        """Apply an edit to the network in view and to the project's blocks as one undo step.

        Args:
            change: given both, returns both; what it does to the block in view must be in the network it returns.
        """
        project, network = change(self.project, self.network)
        if not self.levels:
            project = with_network(project, self.key, network)
        elif network is not self.network:
            name = self.levels[-1].block
            project = with_block(project, name, replace(project.blocks[name], network=network))
        self.document.apply(project, label, merge)

    def edit_project(self, label: str, change: Callable[[Project], Project], merge: Hashable | None = None) -> None:
        """Apply an edit to the project (data, training settings, notes) as one undo step."""
        self.document.apply(change(self.project), label, merge)

    def select(self, ids: Iterable[str]) -> None:
        """Select nodes of the network in view; ids that do not exist are ignored."""
        chosen = frozenset(i for i in ids if i in self.network.nodes)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit()

    @property
    def registry(self) -> Registry:
        """All layer kinds that the project can use: the catalogue and its own blocks."""
        return with_blocks(self._catalogue, self.project.blocks)

    @property
    def ready(self) -> bool:
        """Whether torch is there: networks can be checked, compiled and trained."""
        return self._checker is not None

    def show_catalogue(self, registry: Registry) -> None:
        """Show layer kinds remembered from the last start, until :meth:`use_catalogue` brings the real ones."""
        if self._checker is None:
            self._catalogue = registry
            self.registry_ready.emit()

    def use_catalogue(self, registry: Registry, checker: Checker) -> None:
        """Called once torch is there: the layer kinds, and the function that checks a network of a project."""
        self._catalogue = registry
        self._checker = checker
        self.registry_ready.emit()
        self._check_timer.start()

    def show_offer(self, offer: Offer | None) -> None:
        """What can be fed to the Inputs of the network in view is known anew."""
        if offer != self.offer:
            self.offer = offer
            self.offer_changed.emit()

    def amend(self, report: Report) -> None:
        """Replace the report of the whole by one that knows more about the same project."""
        self.whole = report
        self._view_report()
        if self.report is not None:
            self.report_changed.emit(self.report)

    def _on_change(self, before: Project, after: Project) -> None:
        if self.key not in after.networks:
            self.show_network(_successor(before, after, self.key))
        if self.levels:
            self._follow(self._still_there())
        if self.selection - self.network.nodes.keys():
            self.select(self.selection)
        self.changed.emit(before, after)
        if _means_otherwise(before, after):
            if self._took < AT_ONCE:  # so that one picture shows the edit and its shapes
                self._check()
            else:
                self._check_timer.start()

    def _check(self) -> None:
        self._check_timer.stop()
        if self._checker is not None:
            begin = time.perf_counter()
            self.whole = self._checker.network(self.project, self.key)
            self._took = time.perf_counter() - begin
            self._view_report()
            self.report_changed.emit(self.report)

    def _view_report(self) -> None:
        """The part of the whole's report that is about the drawing in view."""
        self.report, self.values = self.whole, {}
        if self.levels and self._checker is not None:
            inside = self._checker.block(self.project, self.whole, self.levels[-1].block, self._way())
            self.report, self.values = inside.report, inside.params

    def _way(self, depth: int | None = None) -> str:
        """The path of the use that was entered; empty if the block is looked at as such."""
        levels = self.levels[:depth]
        return ".".join(level.step for level in levels) if all(level.step for level in levels) else ""


def _successor(before: Project, after: Project, key: str) -> str:
    """The network to look at when one is gone: the one in its place, which may be the same under another name."""
    place = list(before.networks).index(key) if key in before.networks else 0
    known = list(after.networks)
    return known[min(place, len(known) - 1)] if known else main_key(after)


def _count(used: Node, report: Report | None) -> int | None:
    """How many stand in a row where a node is; None if it is a single one."""
    known = report.nodes.get(used.id) if report is not None else None
    counted = repeats(known.params) if known is not None and isinstance(used.params.get(REPEAT.name), Expr) else None
    return repeats(used.params) if counted is None else counted


def _step(used: Node, place: int | None) -> str:
    """The way into a node that uses a block, as near as it has it to one of the row."""
    count = repeats(used.params)
    if isinstance(used.params.get(REPEAT.name), Expr):
        return used.id if place is None else f"{used.id}.{place}"
    return used.id if count is None else f"{used.id}.{min(place or 0, max(count - 1, 0))}"


def _means_otherwise(before: Project, after: Project) -> bool:
    """Whether more than layout and notes changed; moving nodes must not cost a check."""
    if before.data is not after.data or before.training is not after.training:
        return True
    if before.blocks is not after.blocks and any(_differ(before.blocks, after.blocks)):
        return True
    if before.networks.keys() != after.networks.keys():
        return True
    pairs = ((before.networks[key], after.networks[key]) for key in after.networks)
    return any(a.nodes is not b.nodes or a.wires is not b.wires for a, b in pairs)


def _differ(before: Mapping[str, Block], after: Mapping[str, Block]) -> Iterator[bool]:
    """For each block, whether it means something else now."""
    yield before.keys() != after.keys()
    for name in before.keys() & after.keys():
        a, b = before[name], after[name]
        yield a.code != b.code
        yield a.params != b.params or a.network.nodes is not b.network.nodes or a.network.wires is not b.network.wires
