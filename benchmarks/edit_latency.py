"""How long after an edit the shapes are known, from 10 to 10,000 nodes, and in the open window at 200.

    python benchmarks/edit_latency.py [--window]

Every edit changes the width of a layer in the middle, so that the next layer's size, its weights and the
totals change; "check" is lint, lowering, shapes, counts and advice. Prints median and 95th percentile.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable

from deepgui.catalog.builtin import registry
from deepgui.compiler.report import check
from deepgui.graph import edits
from deepgui.graph.values import Network, Node, Point, Wire
from deepgui.project.values import Project

SIZES = (10, 100, 200, 1_000, 10_000)


def deep(nodes: int) -> Network:
    """Input, Linear and ReLU in turn, Output; made as a value at once, as opening a file does."""
    kinds = ["Input", *("ReLU" if place % 2 else "Linear" for place in range(nodes - 2)), "Output"]
    params: dict[str, dict[str, object]] = {"Input": {"shape": (32,)}, "Linear": {"out_features": 32}}
    chain = [Node(f"n{place}", kind, params.get(kind, {})) for place, kind in enumerate(kinds)]
    wires = tuple(Wire(a.id, "output", b.id, "input") for a, b in itertools.pairwise(chain))
    layout = {n.id: Point(220.0 * (place % 40), 120.0 * (place // 40)) for place, n in enumerate(chain)}
    return Network("deep", {n.id: n for n in chain}, wires, layout)


def measure(edit: Callable[[int], None], times: int) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    found = []
    for turn in range(times):
        begin = time.perf_counter()
        edit(turn)
        found.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(found), sorted(found)[int(0.95 * (len(found) - 1))]


def by_size() -> None:
    for size in SIZES:
        network = deep(size)
        check(network, registry())
        middle = [n for n in network.nodes.values() if n.kind == "Linear"][size // 4]

        def edit(turn: int, network: Network = network, node: str = middle.id) -> None:
            check(edits.set_params(network, node, {"out_features": 33 + turn}), registry())

        median, high = measure(edit, 100 if size <= 1000 else 10)
        print(f"check after an edit, {size:6} nodes: median {median:7.1f} ms, 95th percentile {high:7.1f} ms")


def in_window() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from in_window import Window

    with Window(Project("deep", {"network": deep(200)})) as window:
        middle = [n.id for n in window.session.network.nodes.values() if n.kind == "Linear"][50]

        def edit(turn: int) -> None:
            before = window.session.report
            window.session.edit("Widen", lambda net: edits.set_params(net, middle, {"out_features": 40 + turn}))
            while window.session.report is before:
                window.process_events()
            window.repaint()

        window.settle()
        median, high = measure(edit, 100)
        print(
            f"edit to shapes on screen, 200 nodes in the window: median {median:.1f} ms, 95th percentile {high:.1f} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", action="store_true")
    if parser.parse_args().window:
        in_window()
    else:
        by_size()
