"""How cost grows with the number of nodes, from 10 to 10,000: file, check, edit, module and source.

    python benchmarks/scale.py [--sizes 10 100 1000 10000]

``opened`` reads the file and checks the network for the first time, as opening a project does; ``edit`` is the
check after a change of one layer in the middle. Seconds of processor time, the best of three rounds, since other
processes share the machine; ``saved`` includes reading back what was written, which saving always does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deepgui.catalog.builtin import registry
from deepgui.compiler import facts
from deepgui.compiler.build import build
from deepgui.compiler.report import check
from deepgui.compiler.source import to_python
from deepgui.graph import edits
from deepgui.project import file
from deepgui.project.values import Project

sys.path.insert(0, str(Path(__file__).parent))
from edit_latency import deep

SIZES = (10, 100, 1_000, 10_000)


def best(job: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of processor time of the fastest round."""
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        job()
        found.append(time.process_time() - begin)
    return min(found)


def figures(size: int, path: Path) -> dict[str, float]:
    project = Project("deep", {"network": deep(size)})
    file.write(project, path)
    middle = [n.id for n in project.main.nodes.values() if n.kind == "Linear"][size // 4]
    turns = iter(range(1_000_000))

    def opened() -> None:
        facts.forget()
        check(file.read(path).main, registry())

    def edit() -> None:
        check(edits.set_params(project.main, middle, {"out_features": 33 + next(turns)}), registry())

    check(project.main, registry())
    report = check(project.main, registry())
    return {
        "opened": best(opened),
        "saved": best(lambda: file.write(project, path)),
        "edit": best(edit, 10),
        "module": best(lambda: build(project.main, registry(), report)),
        "source": best(lambda: to_python(project.main, registry(), report)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    arguments = parser.parse_args()
    figures(10, Path(tempfile.mkdtemp()) / "warm.deepgui")
    print(f"{'nodes':>7} {'opened':>10} {'saved':>10} {'edit':>10} {'module':>10} {'source':>10}   (ms)")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            found = figures(size, Path(folder) / "deep.deepgui")
        print(f"{size:7} " + " ".join(f"{seconds * 1e3:10.1f}" for seconds in found.values()))


if __name__ == "__main__":
    main()
