"""The lower rooms work where neither torch nor Qt can be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked in this test", name=name)
sys.meta_path.insert(0, Blocker())
{code}
"""

DRAW_AND_SAVE = """
import importlib, pkgutil, tempfile, pathlib
import deepgui
for room in ("deepgui.graph", "deepgui.project"):
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        importlib.import_module(module.name)
importlib.import_module("deepgui.catalog.spec")
from deepgui.graph import edits
from deepgui.project import file
from deepgui.project.values import edit_network, empty_project
project = edit_network(empty_project(), "network", lambda n: edits.add_node(n, "Conv2d")[0])
path = pathlib.Path(tempfile.mkdtemp()) / "x.deepgui"
file.write(project, path)
assert file.read(path) == project
"""


@pytest.mark.parametrize(
    ("code", "blocked"),
    [
        (DRAW_AND_SAVE, ("torch", "numpy", "PySide6", "pyqtgraph", "qtawesome")),
        ("import deepgui; dir(deepgui); deepgui.__version__", ("torch", "numpy", "PySide6", "networkx")),
    ],
    ids=["values", "package"],
)
def test_it_runs_without(code: str, blocked: tuple[str, ...]) -> None:
    script = BLOCKED.format(blocked=blocked, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
