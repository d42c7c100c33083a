"""Readable PyTorch: the module alone, or a folder with a training and a prediction script and the weights."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from deepgui.compiler.source import to_python
from deepgui.data.fields import label_field
from deepgui.exporters import weights
from deepgui.exporters.exportable import Exportable, tensors
from deepgui.exporters.predict_script import predict_script
from deepgui.exporters.train_script import train_script
from deepgui.exporters.verify import SEED, ExportError, Probe, first_line
from deepgui.graph.edits import identifier

MODULE = "module.py"
WEIGHTS = "weights.safetensors"
SCRIPTS = ("train.py", "predict.py")
_SCRIPTED = ("classification", "regression")
"""Objectives that the scripts know."""
_SECONDS = 300

# Runs in a Python of its own, which refuses to import DeepGUI: what we hand out must not need it.
_ASK = """
import importlib.util, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "deepgui":
            raise ImportError("the exported source must not need deepgui")
sys.meta_path.insert(0, Refuse())
import torch
from safetensors.torch import load_file
source, name, weights, batches, answers, seed = sys.argv[1:]
spec = importlib.util.spec_from_file_location("exported", source)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
model = getattr(module, name)().eval()
model.load_state_dict(load_file(weights))
with torch.no_grad():
    found = []
    for batch in torch.load(batches, weights_only=True):
        torch.manual_seed(int(seed))
        found.append(model(*batch))
    torch.save(found, answers)
"""


def places(subject: Exportable, out: Path) -> dict[str, Path]:
    """A ``.py`` path: the module alone. Otherwise a folder with module, scripts and weights.

    The scripts feed one input and compare one output with a target; other networks go without them.
    """
    if out.suffix == ".py" and not out.is_dir():
        if not out.stem.isidentifier():
            raise ValueError(f"{out.name} cannot be imported; name it like {identifier(out.stem)}.py.")
        return {MODULE: out}
    if out.is_file():
        raise ValueError(f"{out.name} is a file; Python source is written to a .py file or to a folder.")
    compares = subject.project.training.objective in _SCRIPTED
    scripts = SCRIPTS if compares and len(subject.inputs) == len(subject.outputs) == 1 else ()
    return {
        MODULE: out / f"{subject.name}.py",
        **{script: out / script for script in scripts},
        WEIGHTS: out / f"{subject.name}.safetensors",
    }


def write(subject: Exportable, asked: Probe, folder: Path, places: Mapping[str, Path]) -> tuple[float, str]:
    """Write the files, load the module in a Python that cannot import DeepGUI, compare."""
    source = to_python(subject.network, subject.registry)
    name = class_in(source)
    (folder / MODULE).write_text(source, encoding="utf-8")
    weights.save(subject.state(), folder / WEIGHTS)
    known = _with_classes(subject, asked)
    for script, make in zip(SCRIPTS, (train_script, predict_script), strict=True):
        if script in places:
            text = make(known, places[MODULE].stem, name)
            compile(text, script, "exec")
            (folder / script).write_text(text, encoding="utf-8")
    return _compare(folder, name, asked, places[MODULE].name), "a Python without DeepGUI"


def _with_classes(subject: Exportable, asked: Probe) -> Exportable:
    """A classifier whose data is not there has as many classes as scores; they are called by their numbers."""
    if subject.target is not None or subject.project.training.objective != "classification":
        return subject
    scores = asked.answers[0][0]
    count = 2 if subject.single_output else scores.shape[-1] if scores.dim() == 2 else 0
    return replace(subject, target=label_field("label", tuple(map(str, range(count)))))


def class_in(source: str) -> str:
    """The network's class: the last one that the source defines."""
    classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return classes[-1]


def _compare(folder: Path, name: str, asked: Probe, what: str) -> float:
    batches, answers = folder / "batches.pt", folder / "answers.pt"
    torch.save(list(asked.batches), batches)
    files = (folder / MODULE, name, folder / WEIGHTS, batches, answers, SEED)
    command = [sys.executable, "-c", _ASK, *map(str, files)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, cwd=folder, check=False)
    except subprocess.TimeoutExpired:
        raise ExportError(f"{what} did not answer within {_SECONDS} seconds.") from None
    if done.returncode:
        raise ExportError(f"{what} does not run by itself: {first_line(Exception(_last_line(done.stderr)))}")
    got = torch.load(answers, weights_only=True)
    return asked.compare_all([tensors(one) for one in got], what)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
