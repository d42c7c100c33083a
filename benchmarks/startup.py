"""Time from the start of the process to the first painted window, and until PyTorch is there.

    python benchmarks/startup.py [--runs 5] [--project FILE]

Each run is a process of its own with a home that remembers the catalogue, as on every start but the first.
"Usable" is the first painted window with its palette; networks are checked and trained from "PyTorch" on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CHILD = """
import json, os, sys, time
began = float(os.environ["DEEPGUI_BEGAN"])
from pathlib import Path
from PySide6.QtCore import QTimer
from deepgui.qt import app
application = app.application()
window = app.make_window()
found = {}
def note(name):
    found.setdefault(name, time.time() - began)
if len(sys.argv) > 1:
    window.announce("project")
    window.painted.connect(lambda: window.open(Path(sys.argv[1])))
window.painted.connect(lambda: note("painted"))
window.painted.connect(window.loader.start)
def loaded():
    note("loaded")
    QTimer.singleShot(0, application.quit)
window.loader.loaded.connect(loaded)
window.appear()
application.exec()
window.shut_down()
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--project", default="")
    arguments = parser.parse_args()
    home = tempfile.mkdtemp(prefix="deepgui-benchmark-")
    environment = {
        **os.environ,
        "DEEPGUI_HOME": home,
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    command = [sys.executable, "-c", CHILD, *([arguments.project] if arguments.project else [])]
    found = []
    for _ in range(arguments.runs + 1):
        began = {"DEEPGUI_BEGAN": repr(time.time())}
        done = subprocess.run(command, env=environment | began, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    first, later = found[0], found[1:]
    print(f"first start: usable after {first['painted']:.2f} s, PyTorch after {first['loaded']:.2f} s")
    for name, words in (("painted", "usable"), ("loaded", "PyTorch")):
        values = [f[name] for f in later]
        print(f"later starts: {words} after {statistics.median(values):.2f} s (longest {max(values):.2f} s)")


if __name__ == "__main__":
    main()
