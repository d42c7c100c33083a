"""PyTorch comes after the window: imported in a thread once the first picture is on the screen."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
import time

from PySide6.QtCore import QObject, Qt, Signal

from deepgui.catalog import snapshot
from deepgui.catalog.spec import Registry
from deepgui.qt.checking import Checking
from deepgui.qt.session import Session

log = logging.getLogger(__name__)
PANELS = ("deepgui.qt.dashboard.dock", "deepgui.qt.probes.feature_maps")
"""Modules of panels that are slow to import; they are only built in the GUI thread."""
GIVE_WAY = 0.002


class Loader(QObject):
    """Imports PyTorch, builds the catalogue, and hands both over in the GUI thread.

    Signals:
        loaded: the session has its catalogue; panels that need PyTorch can be built.
        failed(sentence): PyTorch cannot be imported.
    """

    loaded = Signal()
    failed = Signal(str)
    _came = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._thread: threading.Thread | None = None
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def remember(self) -> None:
        """Show the layers of the last start, so that the palette is there at once."""
        registry = snapshot.load()
        if registry is not None:
            self._session.show_catalogue(registry)

    def start(self) -> None:
        """Begin, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="deepgui-loader", daemon=True)
            self._thread.start()

    def now(self) -> None:
        """Load in this thread, for a window that nobody looks at yet."""
        if not self._session.ready:
            self._deliver(_load())

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until the thread has ended; for closing."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _work(self) -> None:
        time.sleep(GIVE_WAY)  # let the first picture reach the screen
        try:
            self._came.emit(_load())
        except RuntimeError:
            log.debug("the window was closed before PyTorch was there")

    def _deliver(self, result: Registry | Exception) -> None:
        if self._session.ready:
            return
        if isinstance(result, Exception):
            self.failed.emit(f"PyTorch cannot be loaded, so networks cannot be checked or trained: {result}")
            return
        self._session.use_catalogue(result, Checking(result))
        self.loaded.emit()


def _load() -> Registry | Exception:
    """Everything slow, none of it in the way of the GUI."""
    try:
        builtin = importlib.import_module("deepgui.catalog.builtin")
        registry: Registry = builtin.registry()
        for name in ("deepgui.compiler.report", "deepgui.compiler.source", *PANELS):
            importlib.import_module(name)
        importlib.import_module("deepgui.library").blocks()
    except Exception as error:  # a broken installation of torch raises whatever it likes
        log.exception("PyTorch cannot be loaded")
        return error
    _warm_up(registry)
    snapshot.save(registry)
    return registry


def _warm_up(registry: Registry) -> None:
    """Check a small network once: the first use of the meta device takes torch seconds.

    What has been loaded by now stays for good, so the collector of garbage need not look at it again: a full
    collection over all of torch would stop the window for a third of a second every now and then.
    """
    from deepgui.compiler.report import check
    from deepgui.graph import edits
    from deepgui.graph.values import Network, Wire

    network, source = edits.add_node(Network("warm_up"), "Input", {"shape": (1, 8, 8)})
    for kind, params in (
        ("Conv2d", {"out_channels": 2, "kernel_size": 3}),
        ("Flatten", {}),
        ("Linear", {"out_features": 2}),
    ):
        network, node = edits.add_node(network, kind, params)
        network = edits.connect(network, Wire(source.id, "output", node.id, "input"))
        source = node
    check(network, registry)
    gc.collect()
    gc.freeze()
