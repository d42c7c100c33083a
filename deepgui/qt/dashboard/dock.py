"""The training dock: settings, transport and live curves."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from deepgui.graph.problems import Problem
from deepgui.project.values import Project
from deepgui.qt.dashboard.banner import Banner
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.going_on import GoingOn
from deepgui.qt.dashboard.plots import Plots
from deepgui.qt.dashboard.settings import SettingsPane
from deepgui.qt.dashboard.sight import SeenPanel
from deepgui.qt.dashboard.transport import Transport
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import row

LOW = 300
"""A lower dock shows its plots; its settings come when asked for, in two columns."""


class TrainingDock(SeenPanel):
    """The content of the dock; register nothing, it registers itself with the controller."""

    title = "Training"

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training")
        self.session, self.controller = session, controller
        self.transport = Transport(controller)
        self.banner = Banner(session)
        self.settings = SettingsPane(session, controller)
        self.plots = Plots(controller)
        self._ticks = 0
        self._low = False
        self._lay_out()
        self.transport.settings_toggled.connect(self.settings.setVisible)
        self.transport.lr_entered.connect(self._set_lr)
        self.sight.changed.connect(lambda seen: self.plots.refresh(final=True) if seen else None)
        controller.register(self)
        controller.refused.connect(self.banner.tell)
        controller.failed.connect(self._on_failed)
        controller.state_changed.connect(self._on_state)
        controller.run_finished.connect(lambda _: self._show_lr())
        session.changed.connect(lambda before, after: self._show_lr())
        session.document_replaced.connect(self._show_lr)
        session.document_replaced.connect(self.banner.hide)
        self.going_on = GoingOn(session, controller, self.banner)
        self._show_lr()

    def _lay_out(self) -> None:
        body = row(self.settings, self.plots, gap=GRID)
        body.setStretch(1, 1)
        body.setContentsMargins(GRID, 0, GRID, GRID // 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.transport)
        notice = row(self.banner)
        notice.setContentsMargins(GRID, 0, GRID, 4)
        layout.addLayout(notice)
        layout.addLayout(body, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        low = self.height() < LOW
        if low != self._low:
            self._low = low
            self.settings.set_wide(low)
            self.transport.settings_button.setChecked(not low)

    def refresh(self) -> None:
        """Called by the controller: draw what is visible."""
        if not self.sight.seen:
            return
        self._ticks += 1
        self.plots.refresh()
        if self._ticks % 5 == 0:
            self.transport.show_progress(self.controller.progress)
            self._show_lr()

    def _on_state(self, state: str) -> None:
        if state == "preparing":
            self.banner.hide()
        self._show_lr()

    def _on_failed(self, message: str, node: str) -> None:
        self.banner.tell(Problem("run-failed", message, node=node))
        self.transport.show_failure("Stopped by an error.")

    def _show_lr(self) -> None:
        feed = self.controller.feed
        if self.controller.active and feed is not None:
            _, rates = feed.column("lr")
            if len(rates):
                self.transport.show_lr(float(rates[-1]))
                return
        lr = self.session.project.training.optimizer_options.get("lr")
        self.transport.show_lr(float(lr) if isinstance(lr, (int, float)) else None)

    def _set_lr(self, lr: float) -> None:
        if self.controller.active:
            self.controller.set_lr(lr)
            return

        def change(project: Project) -> Project:
            options = {**project.training.optimizer_options, "lr": lr}
            return replace(project, training=replace(project.training, optimizer_options=options))

        self.session.edit_project("Set learning rate", change, merge="training.lr")
