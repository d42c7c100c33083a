"""The catalogue as a file, so that the window can show layers before torch has been imported.

The file is a cache: it is written after introspection, named after the versions of torch and DeepGUI and after what
else makes the catalogue (plug-ins, its own source), and ignored when anything about it is odd.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

import deepgui
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec, Registry, freeze
from deepgui.paths import user_data


def path() -> Path | None:
    """Where the snapshot for what is installed is kept; None if torch is not installed."""
    try:
        return user_data() / f"catalog-{deepgui.__version__}-torch-{version('torch')}-{_mark()}.json"
    except PackageNotFoundError:
        return None


def _mark() -> str:
    """Another one for other plug-ins and for another state of the catalogue's source."""
    plugins = sorted((e.name, e.value, e.dist.version if e.dist else "") for e in entry_points(group="deepgui.layers"))
    try:
        graphs = version("torch_geometric")
    except PackageNotFoundError:
        graphs = ""
    changed = max(file.stat().st_mtime_ns for file in Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(repr((plugins, graphs, changed)).encode()).hexdigest()[:8]


def save(registry: Registry) -> None:
    """Write the snapshot. A cache that cannot be written is done without."""
    target = path()
    if target is None:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump([_as_dict(spec) for spec in registry.values()], file)
        os.replace(temporary, target)
    except OSError:
        return


def load() -> Registry | None:
    """The catalogue as of the last start with the same versions, or None."""
    source = path()
    if source is None or not source.is_file():
        return None
    try:
        return Registry(_from_dict(entry) for entry in json.loads(source.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _as_dict(spec: LayerSpec) -> dict[str, Any]:
    fields = dataclasses.asdict(spec)
    del fields["_by_name"]
    return fields


def _from_dict(entry: dict[str, Any]) -> LayerSpec:
    inputs, outputs = (tuple(PortSpec(**_frozen(p)) for p in entry.pop(side)) for side in ("inputs", "outputs"))
    params = []
    for param in entry.pop("params"):
        infer = param.pop("infer")
        params.append(ParamSpec(infer=Infer(**infer) if infer else None, **_frozen(param)))
    return LayerSpec(inputs=inputs, outputs=outputs, params=tuple(params), **_frozen(entry))


def _frozen(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: freeze(value) for name, value in entry.items()}
