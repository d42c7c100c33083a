"""The row that drives a run: buttons, progress, what is going on in plain words, the learning rate."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QSizePolicy, QWidget

from deepgui.data.progress import Progress as Preparation
from deepgui.qt import icons, style
from deepgui.qt.dashboard.controller import Progress, RunController
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, button, column, label, row, tool_button

STATES = {
    "idle": "Ready to train.",
    "preparing": "Preparing the data and the network …",
    "running": "Training",
    "paused": "Paused",
    "stopping": "Stopping after this step and saving a checkpoint …",
    "finished": "Finished",
    "failed": "Stopped by an error.",
}


def duration(seconds: float) -> str:
    """``8 s``, ``2 min 05 s``, ``1 h 20 min``, ``3 days``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 2 * 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} days"


def pace(speed: float) -> str:
    """``1,240 steps/s``, ``3.2 steps/s``, ``12 s a step``."""
    if speed <= 0:
        return ""
    if speed < 0.5:
        return f"{1 / speed:.0f} s a step"
    return f"{speed:,.0f} steps/s" if speed >= 10 else f"{speed:.1f} steps/s"


class Transport(QWidget):
    """Train, pause, step, stop; progress and status. ``settings_toggled`` shows or hides the settings."""

    settings_toggled = Signal(bool)
    lr_entered = Signal(float)

    def __init__(self, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.settings_button = tool_button(
            "sliders-horizontal", "settings_button", "Show or hide the training settings"
        )
        self.settings_button.setCheckable(True)
        self.settings_button.setChecked(True)
        self.train_button = button("Train", "train_button", role="primary", icon="play", tip="Train (Ctrl+Enter)")
        self.pause_button = tool_button("pause", "pause_button", "Pause (Ctrl+.)", token="text")
        self.step_button = tool_button("skip-forward", "step_button", "Run one step", token="text")
        self.stop_button = tool_button("stop", "stop_button", "Stop and save (Ctrl+Alt+Enter)", token="text")
        self.progress = QProgressBar()
        self.progress.setObjectName("progress")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Training progress")
        self.status = Elided(STATES["idle"], "muted")
        self.status.setObjectName("run_status")
        self.lr_field = QLineEdit()
        self.lr_field.setObjectName("lr_field")
        self.lr_field.setFixedWidth(88)
        self.lr_field.setAccessibleName("Learning rate")
        self.lr_field.setToolTip("Learning rate: Enter applies it, also while training")
        self._lay_out()
        self._connect()
        self.show_state(controller.state)

    def _lay_out(self) -> None:
        middle = column(self.status, self.progress, gap=GRID // 2)
        middle.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        middle.setContentsMargins(GRID, 0, GRID, 0)
        lr_label = label("Learning rate", "muted")
        lr_label.setBuddy(self.lr_field)
        line = row(
            self.settings_button, self.train_button, self.pause_button, self.step_button, self.stop_button, gap=4
        )
        line.addLayout(middle, 1)
        line.addWidget(lr_label)
        line.addSpacing(4)
        line.addWidget(self.lr_field)
        line.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        self.setLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.train_button.setMinimumWidth(92)

    def _connect(self) -> None:
        self.train_button.clicked.connect(self._train)
        self.pause_button.clicked.connect(self.controller.toggle)
        self.step_button.clicked.connect(self.controller.step)
        self.stop_button.clicked.connect(self.controller.stop)
        self.settings_button.toggled.connect(self.settings_toggled)
        self.lr_field.editingFinished.connect(self._lr_entered)
        self.controller.state_changed.connect(self.show_state)
        self.controller.preparing.connect(self.show_preparation)
        self.controller.session.report_changed.connect(self._on_report)

    def _train(self) -> None:
        if self.controller.state == "paused":
            self.controller.resume()
        else:
            self.controller.start()

    def _on_report(self, report: object) -> None:
        if self.controller.state == "idle":
            self.show_progress(self.controller.progress)

    def _lr_entered(self) -> None:
        if not self.lr_field.isModified():
            return
        self.lr_field.setModified(False)
        try:
            lr = float(self.lr_field.text().replace(",", "."))
        except ValueError:
            lr = -1.0
        good = 0 <= lr < float("inf")
        style.set_flag(self.lr_field, "invalid", not good)
        if good:
            self.lr_entered.emit(lr)
        else:
            self.status.setText(f"The learning rate must be a positive number, not “{self.lr_field.text()}”.")

    def show_lr(self, lr: float | None) -> None:
        """The learning rate in force; a person who is typing is left alone."""
        text = "" if lr is None else f"{lr:.4g}"
        if self.lr_field.text() != text and not (self.lr_field.hasFocus() and self.lr_field.isModified()):
            self.lr_field.setText(text)
            style.set_flag(self.lr_field, "invalid", False)

    def show_state(self, state: str) -> None:
        """What can be pressed in this state, and what is said."""
        active, paused = self.controller.active, state == "paused"
        buttons = (self.train_button, self.stop_button, self.pause_button, self.step_button, self.settings_button)
        at_hand = next((b for b in buttons if b.hasFocus()), None)
        self.train_button.setEnabled(not active or paused)
        self.train_button.setText("Resume" if paused else "Train")
        self.pause_button.setEnabled(state in ("running", "paused"))
        self.pause_button.setIcon(icons.icon("play" if paused else "pause", "text"))
        self.pause_button.setToolTip("Resume (Ctrl+.)" if paused else "Pause (Ctrl+.)")
        self.step_button.setEnabled(state not in ("preparing", "stopping"))
        self.stop_button.setEnabled(active and state != "stopping")
        if at_hand is not None and not at_hand.isEnabled():  # Qt would go on to the field of the learning rate
            next(b for b in buttons if b.isEnabled()).setFocus()
        style.set_role(self.status, "error" if state == "failed" else "muted")
        self.progress.setRange(0, 0 if state == "preparing" else 1000)
        self.show_progress(self.controller.progress)

    def show_progress(self, progress: Progress) -> None:
        """The bar and the sentence, at most a few changes a second as they hold rounded numbers."""
        state = self.controller.state
        if state != "preparing":
            self.progress.setValue(round(1000 * progress.share))
        text = STATES[state]
        if state in ("running", "paused") and progress.total_steps:
            text = f"{text}: {_where(progress)}"
            if state == "running" and progress.speed:
                text += f" · {pace(progress.speed)}"
                if progress.seconds_left is not None:
                    text += f" · {duration(progress.seconds_left)} left"
        elif state == "finished":
            text = self._summary()
        elif state == "idle":
            text = self._lacking() or text
        elif state == "failed":
            return
        if text != self.status.full_text():
            self.status.setText(text)

    def show_preparation(self, progress: Preparation) -> None:
        """How far reading the data is."""
        self.progress.setRange(0, progress.total)
        self.progress.setValue(progress.done)
        self.status.setText(f"Preparing the data: {progress} …")

    def show_failure(self, text: str) -> None:
        """What went wrong, in one sentence."""
        style.set_role(self.status, "error")
        self.status.setText(text)

    def _lacking(self) -> str:
        """What a person still has to do before training can start, or an empty string."""
        session = self.controller.session
        drawn, data = bool(session.project.main.nodes), bool(session.project.data.source)
        if not drawn:
            return "Draw a network to train." if data else "Draw a network and choose data to train."
        if not data:
            return "Choose data to train on."
        if session.report is None:
            return "Checking the network …"
        return "Mend the errors listed under Problems to train." if self.controller.preflight() else ""

    def _summary(self) -> str:
        done = self.controller.finished
        if done is None:
            return STATES["finished"]
        if done.reason == "stopped" and not done.metrics:
            return "Stopped before the first step."
        how = {"stopped": "Stopped", "early_stopping": "Stopped early: no further improvement"}
        told = [how.get(done.reason, "Finished")]
        names = {"test_accuracy": "test accuracy", "val_accuracy": "validation", "val_loss": "validation loss"}
        for key in ("test_accuracy", "val_accuracy" if "val_accuracy" in done.metrics else "val_loss"):
            if key in done.metrics:
                value = done.metrics[key]
                told.append(f"{names[key]} {value:.1%}" if key.endswith("accuracy") else f"{names[key]} {value:.4g}")
        told.append(f"{done.steps:,} steps in {duration(done.seconds)}")
        return " · ".join(told)


def _where(progress: Progress) -> str:
    return f"epoch {progress.epoch} of {progress.epochs}, step {progress.step:,} of {progress.total_steps:,}"
