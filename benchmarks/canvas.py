"""Frame times of the canvas in software rendering: pan and zoom at 100, 1,000 and 5,000 nodes.

Each frame moves the view and paints all of it into a pixmap, as the window would. Promised: at most 16 ms a
frame at 1,000 nodes, 33 ms at 5,000. Run: ``python benchmarks/canvas.py [--json]``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, Registry
from deepgui.graph.values import Network, Node, Point, Wire
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt import style
from deepgui.qt.canvas import CanvasView
from deepgui.qt.session import Session

WIDTH, HEIGHT = 1280, 800
ZOOMS = (1.0, 0.7, 0.5, 0.42, 0.3, 0.21, 0.1, 0.05)
FRAMES = 20
KINDS = ("Linear", "Convolution", "Activation", "Normalization", "Pooling")


def catalogue() -> Registry:
    """A few kinds, so that no torch is needed to measure painting."""
    inputs, sizes = (PortSpec("input"),), (ParamSpec("out_channels", "int", required=True),)
    return Registry(LayerSpec(k, f"torch.nn.{k}", "module", k, inputs=inputs, params=sizes) for k in KINDS)


def network(count: int) -> Network:
    """A dense field of nodes, each wired to the next in its row and every third to the row below."""
    columns = max(1, int(count**0.5))
    nodes = {f"n{i}": Node(f"n{i}", KINDS[i % len(KINDS)], {"out_channels": i}) for i in range(count)}
    layout = {f"n{i}": Point(i % columns * 264, i // columns * 112) for i in range(count)}
    wires = [Wire(f"n{i}", "output", f"n{i + 1}", "input") for i in range(count - 1) if (i + 1) % columns]
    wires += [Wire(f"n{i}", "output", f"n{i + columns + 1}", "input", 1) for i in range(0, count - columns - 1, 3)]
    return Network("field", nodes, tuple(wires), layout)


def paint(view: CanvasView) -> float:
    """Milliseconds to paint the view once."""
    pixmap = QPixmap(view.size())
    start = time.perf_counter()
    view.viewport().render(pixmap)
    return (time.perf_counter() - start) * 1e3


def frames(view: CanvasView, move: Callable[[int], None]) -> Iterator[float]:
    for number in range(FRAMES):
        move(number)
        yield paint(view)


def measure(count: int) -> dict[str, object]:
    """Open a network and time its frames; milliseconds."""
    session = Session(Document(Project("field", {"network": network(count)})))
    session.show_catalogue(catalogue())
    start = time.perf_counter()
    view = CanvasView(session)
    view.resize(WIDTH, HEIGHT)
    view.show()
    paint(view)
    opening = (time.perf_counter() - start) * 1e3
    pan: dict[str, list[float]] = {}
    zoom: dict[str, list[float]] = {}
    for scale in ZOOMS:
        view.camera.zoom_to(scale)
        view.centerOn(view.mirror.bounds().center())
        pan[f"{scale:g}"] = list(frames(view, lambda n: view.camera.scroll_by(7 + n % 3, 5)))
        view.camera.zoom_to(scale)
        zoom[f"{scale:g}"] = list(frames(view, lambda n: view.camera.zoom_by(1.01 if n % 4 < 2 else 0.985)))
    view.deleteLater()
    return {"nodes": count, "open_ms": round(opening, 1), "pan": summed(pan), "zoom": summed(zoom)}


def summed(times: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {
        scale: {"median": round(statistics.median(found), 2), "worst": round(max(found), 2)}
        for scale, found in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--nodes", type=int, nargs="*", default=[100, 1000, 5000])
    wanted = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    style.apply(app)  # type: ignore[arg-type]
    found = [measure(count) for count in wanted.nodes]
    if wanted.json:
        print(json.dumps(found))
        return
    for result in found:
        print(f"{result['nodes']} nodes, opened in {result['open_ms']} ms")
        for motion in ("pan", "zoom"):
            cells = (f"{scale}: {t['median']:.1f} ({t['worst']:.1f})" for scale, t in result[motion].items())  # type: ignore[attr-defined]
            print(f"  {motion:4} ms, median (worst) by scale  " + "  ".join(cells))


if __name__ == "__main__":
    main()
