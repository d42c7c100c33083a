"""The ``.deepgui`` file: JSON in UTF-8, one node and one wire a line, the layout apart from the meaning.

::

    {
      "format": "deepgui",
      "version": 3,
      "name": "digits",
      "notes": [],
      "networks": {
        "network": {
          "name": "network",
          "nodes": {
            "input": {"kind": "Input", "params": {"shape": [1, 8, 8]}},
            ...
          },
          "wires": [
            ["input.output", "conv2d.input"],
            ["conv2d.output", "cat.tensors", 1],
            ...
          ]
        }
      },
      "blocks": {
        "Residual": {
          "summary": "...",
          "params": [{"name": "width", "type": "int", "default": 64}],
          "nodes": {"conv": {"kind": "Conv2d", "params": {"out_channels": {"expr": "width"}}}, ...},
          "wires": [...]
        },
        "SwiGLU": {
          "code": {"layer": "SwiGLU", "source": ["import torch", ...]}
        }
      },
      "data": {...},
      "training": {...},
      "search": {
        "training.optimizer_options.lr": {"low": 0.0001, "high": 0.1, "log": true},
        "network.dropout.bypass": {"choices": [false, true]}
      },
      "layout": {
        "network": {
          "input": [0.0, 0.0],
          ...
        }
      },
      "block_layout": {
        "Residual": {...}
      }
    }

Reading runs nothing and trusts nothing: whatever is not as above is refused with a :class:`FileError`
that says what is wrong and where. Layer kinds and parameters are values like others, so those that this
DeepGUI does not know survive. A key that it does not know is refused, since keeping what is not understood
would let a misspelt setting pass unnoticed; a version that adds keys therefore has a higher number.
Settings that are missing have their defaults.
"""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepgui.graph.blocks import uses
from deepgui.graph.values import Block
from deepgui.project import atomic, migrations, own
from deepgui.project.data_paths import located, portable
from deepgui.project.decode import FileError, printable
from deepgui.project.encode import plain_config
from deepgui.project.reader import from_text
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.project.writer import plain_node, plain_param, to_text

__all__ = ["SUFFIX", "VERSION", "FileError", "from_text", "meaning_hash", "read", "to_text", "write"]

SUFFIX = ".deepgui"
VERSION = migrations.LATEST
MAX_BYTES = 64 * 2**20


def read(path: Path | str) -> Project:
    """Open a project. Raises FileError, whose message is one sentence for the user."""
    path = Path(path)
    name = printable(path.name or str(path))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{name} is a folder, not a DeepGUI project.")
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{name} is not a file.")
        if status.st_size > MAX_BYTES:
            raise FileError(f"{name} is too large for a DeepGUI project ({status.st_size / 2**20:.0f} MiB).")
        data = path.read_bytes()
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"There is no file {printable(str(path))}.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileError(f"{name} cannot be read: {atomic.reason(error)}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{name} is not a DeepGUI project: it is not text in UTF-8.") from None
    return own.opened(located(from_text(text, name), path.parent), path)


def write(project: Project, path: Path | str) -> None:
    """Save a project atomically, keeping the earlier version as ``NAME.deepgui~``.

    Raises FileError; the file is then what it was before.
    """
    path = Path(path)
    name = printable(path.name)
    text = to_text(portable(_with_weights_beside(project, path), path.parent))
    try:
        same = to_text(from_text(text, name)) == text
    except FileError as error:
        raise FileError(f"The project cannot be saved, since it could not be opened again: {error}") from error
    if not same:
        raise FileError(f"The project cannot be saved as {name}: it holds text that no file can.")
    try:
        atomic.replace(path, text.encode(), backup=_is_project(path))
    except OSError as error:
        raise FileError(f"{name} cannot be saved: {atomic.reason(error)}.") from error


def _with_weights_beside(project: Project, path: Path) -> Project:
    """The weights that a project starts from, copied beside its file unless they are there. Raises FileError."""
    source = Path(project.weights)
    if not project.weights or not source.is_file() or source.absolute().is_relative_to(path.parent.absolute()):
        return project
    target = path.parent.absolute() / f"{path.name.removesuffix(SUFFIX)}.safetensors"
    try:
        atomic.replace(target, source.read_bytes())
    except OSError as error:
        raise FileError(f"The weights cannot be saved as {target.name}: {atomic.reason(error)}.") from error
    return replace(project, weights=str(target))


def _is_project(path: Path) -> bool:
    try:
        read(path)
    except FileError:
        return False
    return True


def meaning_hash(project: Project) -> str:
    """SHA-256 (hex) of what the project computes and learns: not of layout, notes or the project's name.

    Settings that have their defaults are left out, so that one added later does not make earlier runs strangers.
    """
    networks = [
        [key, [[node.id, plain_node(node)] for node in network.nodes.values()], sorted(network.wires)]
        for key, network in project.networks.items()
    ]
    data = _changed(plain_config(project.data, "data"), plain_config(DataConfig(), "data"))
    training = _changed(plain_config(project.training, "training"), plain_config(TrainingConfig(), "training"))
    used = frozenset().union(*(uses(network, project.blocks) for network in project.networks.values()))
    blocks = [[key, _meaning_of(project.blocks[key])] for key in sorted(used)]
    weights = [Path(project.weights).name] if project.weights else []
    parts = [networks, data, training, *([blocks] if blocks else []), *weights]
    meaning = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(meaning.encode()).hexdigest()


def _meaning_of(block: Block) -> list[Any]:
    if block.code is not None:
        return [block.code.layer, block.code.source]
    nodes = [[node.id, plain_node(node)] for node in block.network.nodes.values()]
    return [[plain_param(param) for param in block.params], nodes, sorted(block.network.wires)]


def _changed(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in defaults or value != defaults[name]}
