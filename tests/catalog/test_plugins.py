"""Layers of installed packages: the example of the docs works, and a broken one keeps nothing from starting."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from own_sources import plain

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "deepgui-swiglu"


def _install(folder: Path, name: str, entries: dict[str, str]) -> None:
    """What an installer leaves of a package's metadata."""
    info = folder / f"{name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = "".join(f"{key} = {value}\n" for key, value in entries.items())
    (info / "entry_points.txt").write_text(f"[deepgui.layers]\n{lines}")


def _python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


def test_the_example_of_the_docs_is_a_layer_and_leaves_as_source(tmp_path: Path) -> None:
    declared = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    _install(tmp_path, declared["name"], declared["entry-points"]["deepgui.layers"])
    code = """
import deepgui, json, torch
net = deepgui.Network("net")
net.add("Output", net.add("SwiGLU", net.add("Input", shape=(6,)), hidden=4))
source = deepgui.to_python(net)
names = {}
exec(source, names)
spec = deepgui.layers()["SwiGLU"]
print(json.dumps([spec.category, [p.name for p in spec.params], spec.param("hidden").doc,
    source.count("import deepgui_swiglu"),
    list(names["Net"]()(torch.zeros(2, 6)).shape),
    sum(p.numel() for p in deepgui.compile(net).parameters())]))
"""
    done = _python(code, tmp_path, EXAMPLE / "src")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["Plug-ins", ["in_features", "hidden", "bias"], "size in between.", 1, [2, 6], 72]


def test_a_package_that_cannot_be_loaded_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit('no')")
    (tmp_path / "odd.py").write_text("class Odd: pass\n" + plain("Linear"))
    _install(tmp_path, "broken", {"a": "broken:Layer", "b": "missing_module:Layer"})
    _install(tmp_path, "odd", {"c": "odd:Odd", "d": "odd:Linear", "e": "odd:Nothing"})
    done = _python("import deepgui; print(deepgui.layers()['Linear'].target)", tmp_path)
    assert done.stdout.strip() == "torch.nn.Linear"
    assert sorted(re.findall(r"The layer plug-in (\w) could not be loaded", done.stderr)) == list("abcde")


def test_the_layer_in_the_docs_is_the_layer_of_the_example() -> None:
    text = (DOCS / "own-layers.md").read_text(encoding="utf-8")
    block = re.search(r"   ```python\n(.*?)   ```", text, re.DOTALL)
    assert block is not None
    from deepgui.catalog.own.declared import declare

    written = declare("\n".join(line.removeprefix("   ") for line in block[1].splitlines()))
    packaged = declare((EXAMPLE / "src" / "deepgui_swiglu" / "__init__.py").read_text())
    assert [p.name for p in written.params] == [p.name for p in packaged.params]
    assert written.inputs == packaged.inputs
