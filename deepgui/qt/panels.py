"""The panels that need PyTorch: built once it is there, put into the docks that wait for them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.dock import TrainingDock
from deepgui.qt.files import Files
from deepgui.qt.probes.boundary import BoundaryDock
from deepgui.qt.probes.confusion import ConfusionDock
from deepgui.qt.probes.feature_maps import FeatureMapDock
from deepgui.qt.readiness import Readiness
from deepgui.qt.results.dock import ResultsDock
from deepgui.qt.runs.panel import RunsPanel
from deepgui.qt.session import Session
from deepgui.qt.try_out.dock import TryDock
from deepgui.qt.workbench import Workbench


def add_training(
    session: Session, bench: Workbench, files: Files, tell: Callable[[str], None], parent: QObject
) -> tuple[RunController, Readiness]:
    """Build the panels of training and probes; returns the controller that they share, and the preflight.

    Args:
        tell: shows a sentence that needs no answer.
    """
    controller = RunController(session, parent)
    readiness = Readiness(session, parent)
    bench.fill("training", TrainingDock(session, controller))
    bench.fill("feature_maps", FeatureMapDock(session, controller))
    bench.fill("confusion", ConfusionDock(session, controller))
    bench.fill("boundary", BoundaryDock(session, controller))
    bench.fill("results", ResultsDock(session, controller))
    bench.fill("try_out", TryDock(session, controller))
    runs = RunsPanel(session, controller, files)
    runs.training_asked.connect(lambda: bench.reveal("training"))
    runs.told.connect(tell)
    bench.fill("runs", runs)
    controller.message.connect(bench.log.note)
    DeviceChip(session, controller, bench)
    return controller, readiness


class DeviceChip(QObject):
    """Says in the tool bar where training runs, or would run."""

    def __init__(self, session: Session, controller: RunController, bench: Workbench) -> None:
        super().__init__(bench)
        self._session, self._controller, self._bench = session, controller, bench
        session.changed.connect(lambda before, after: self._refresh())
        session.document_replaced.connect(self._refresh)
        controller.state_changed.connect(lambda state: self._refresh())
        self._refresh()

    def _refresh(self) -> None:
        from deepgui.training.devices import DeviceError, resolve

        chosen = self._session.project.training.device
        if self._controller.active and self._controller.project is not None:
            chosen = self._controller.project.training.device
        try:
            device = resolve(chosen)
            self._bench.toolbar.show_device("CPU" if device.id == "cpu" else device.title)
        except DeviceError:
            self._bench.toolbar.show_device(f"{chosen} is not here")
