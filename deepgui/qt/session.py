"""What all panels look at: the document, the network in view, its report, and the selection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from deepgui.catalog.spec import Registry
from deepgui.graph.blocks import with_blocks
from deepgui.graph.values import Block, Network
from deepgui.project.document import Document
from deepgui.project.values import Project, main_key, with_network

if TYPE_CHECKING:
    from deepgui.compiler.report import Report


class Session(QObject):
    """The state that panels share. Panels read it, listen to it, and edit only through :meth:`edit`.

    Signals:
        document_replaced: another project was opened; start over.
        changed(before, after): the project's value changed; compare by identity and redraw what differs.
        report_changed(report): shapes, counts and problems of the network in view are known anew.
        selection_changed: :attr:`selection` is another set.
        registry_ready: the catalogue can be used.
    """

    document_replaced = Signal()
    changed = Signal(object, object)
    report_changed = Signal(object)
    selection_changed = Signal()
    registry_ready = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalogue = Registry()
        self.report: Report | None = None
        self.selection: frozenset[str] = frozenset()
        self._checker: Callable[[Project, str], Report] | None = None
        self._check_timer = QTimer(self)
        self._check_timer.setSingleShot(True)
        self._check_timer.setInterval(0)
        self._check_timer.timeout.connect(self._check)
        self._adopt(document)

    def _adopt(self, document: Document) -> None:
        self.document = document
        self.key = main_key(document.project)
        self._unlisten = document.changed.connect(self._on_change)

    @property
    def project(self) -> Project:
        return self.document.project

    @property
    def network(self) -> Network:
        """The network in view."""
        return self.project.networks.get(self.key) or self.project.main

    def open(self, document: Document) -> None:
        """Look at another document."""
        self._unlisten()
        self._adopt(document)
        self.report = None
        self.select(())
        self.document_replaced.emit()
        self._check_timer.start()

    def edit(self, label: str, change: Callable[[Network], Network], merge: Hashable | None = None) -> None:
        """Apply an edit to the network in view as one undo step."""
        after = with_network(self.project, self.key, change(self.network))
        self.document.apply(after, label, merge)

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

    def use_catalogue(self, registry: Registry, checker: Callable[[Project, str], Report]) -> None:
        """Called once torch is there: the layer kinds, and the function that checks a network of a project."""
        self._catalogue = registry
        self._checker = checker
        self.registry_ready.emit()
        self._check_timer.start()

    def amend(self, report: Report) -> None:
        """Replace the report by one that knows more about the same project."""
        self.report = report
        self.report_changed.emit(report)

    def _on_change(self, before: Project, after: Project) -> None:
        if self.selection - self.network.nodes.keys():
            self.select(self.selection)
        self.changed.emit(before, after)
        if _means_otherwise(before, after):
            self._check_timer.start()

    def _check(self) -> None:
        if self._checker is not None:
            self.report = self._checker(self.project, self.key)
            self.report_changed.emit(self.report)


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
        yield a.params != b.params or a.network.nodes is not b.network.nodes or a.network.wires is not b.network.wires
