"""``load_data`` of the exported training script: the project's source, read without DeepGUI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepgui.catalog.spec import Value
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.predict_script import classes, input_kind

_HEAD = 'def load_data() -> tuple[Tensor, Tensor]:\n    """{doc}"""\n{body}\n'


@dataclass(frozen=True)
class Loader:
    """The function's text, the import lines that it needs (standard library, others), and names of predict.py."""

    text: str
    standard: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    from_predict: tuple[str, ...] = ()


def loader(subject: Exportable) -> Loader:
    """``load_data`` for the project's source; for one that no script can read, from a file ``data.npz``."""
    source = subject.project.data.source
    make = _SOURCES.get(source)
    made = make(subject) if make and len(subject.inputs) == 1 else None
    return made or _arrays(subject)


def _function(doc: str, *lines: str) -> str:
    return _HEAD.format(doc=doc, body="\n".join(f"    {line}" if line else "" for line in lines))


def _bundle(function: str, doc: str, inputs: str) -> Callable[[Exportable], Loader]:
    def make(subject: Exportable) -> Loader:
        targets = "torch.from_numpy(data.target).long()"
        if not classes(subject):
            targets = "torch.from_numpy(data.target).float().unsqueeze(1)"
        flat = subject.project.data.options.get("flat")
        body = (
            f"data = {function}()",
            f"return {inputs if not flat else 'torch.from_numpy(data.data / 16).float()'}, {targets}",
        )
        return Loader(_function(doc, *body), imports=(f"from sklearn.datasets import {function}",))

    return make


_FEATURES = "torch.from_numpy(data.data).float()"


def _generated(
    function: str, doc: str, defaults: Mapping[str, Value], words: Mapping[str, str]
) -> Callable[[Exportable], Loader]:
    def make(subject: Exportable) -> Loader:
        options = {**defaults, **subject.project.data.options}
        arguments = ", ".join(f"{words[key]}={options[key]!r}" for key in words)
        lines = [f"points, labels = {function}({arguments})[:2]"]
        lines.append("return torch.from_numpy(points).float(), torch.from_numpy(labels).long()")
        return Loader(_function(doc, *lines), imports=(f"from sklearn.datasets import {function}",))

    return make


def _spirals(subject: Exportable) -> Loader:
    options = {"n": 1000, "classes": 2, "noise": 0.02, "turns": 1.5, "seed": 0, **subject.project.data.options}
    lines = (
        f"random = np.random.default_rng({options['seed']!r})",
        f"labels = np.arange({options['n']!r}) % {options['classes']!r}",
        "radius = np.sqrt(random.uniform(0.01, 1, len(labels)))",
        f"angle = 2 * np.pi * ({options['turns']!r} * radius + labels / {options['classes']!r})",
        "points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)",
        f"points += random.normal(0, {options['noise']!r}, points.shape)",
        "return torch.from_numpy(points).float(), torch.from_numpy(labels).long()",
    )
    return Loader(_function("Arms that wind around each other.", *lines), imports=("import numpy as np",))


def _csv(subject: Exportable) -> Loader | None:
    """The features by the reader of ``predict.py``, the target here."""
    options = subject.project.data.options
    target = subject.target
    if input_kind(subject) != "table" or target is None:
        return None
    value = "CLASSES.index(name_of(row[position]))" if target.classes else "float(row[position])"
    dtype = "torch.int64" if target.classes else "torch.float32"
    extra = "" if target.classes else ".unsqueeze(1)"
    text = _function(
        "The table as tensors: features as predict.py reads them, and the target.",
        f"path = {str(options.get('path', ''))!r}",
        "rows = read_rows(path)",
        f"target = {target.name!r}",
        "position = rows[0].index(target) if target in rows[0] else int(target.removeprefix('column_')) - 1",
        "rows = rows[1:] if target in rows[0] else rows",
        f"targets = [{value} for row in rows]",
        f"return read(path), torch.tensor(targets, dtype={dtype}){extra}",
    )
    if target.classes:
        text = (
            'def name_of(cell: str) -> str:\n    """A class as it is listed: 1 and 1.0 are one."""\n'
            '    try:\n        return f"{float(cell):g}"\n    except ValueError:\n        return cell\n\n\n'
        ) + text
    return Loader(text, from_predict=("read", "read_rows", *(("CLASSES",) if target.classes else ())))


def _image_folder(subject: Exportable) -> Loader | None:
    if input_kind(subject) != "image":
        return None
    text = _function(
        "The pictures below a folder; every class has a folder of its own.",
        f"root = Path({str(subject.project.data.options.get('path', ''))!r})",
        "root = root / 'train' if (root / 'train').is_dir() else root",
        "suffixes = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')",
        "files = [(p, label) for label, name in enumerate(CLASSES) for p in sorted((root / name).rglob('*'))]",
        "files = [(p, label) for p, label in files if p.suffix.lower() in suffixes]",
        "return torch.cat([read(str(p)) for p, _ in files]), torch.tensor([label for _, label in files])",
    )
    return Loader(text, ("from pathlib import Path",), from_predict=("CLASSES", "read"))


def _idx(subject: Exportable) -> Loader:
    reader = (
        'def read_idx(path: Path) -> Tensor:\n    """The array in an IDX file, gzipped or not."""\n'
        "    data = gzip.decompress(path.read_bytes()) if path.suffix == '.gz' else path.read_bytes()\n"
        "    sizes = np.frombuffer(data, '>u4', count=data[3], offset=4).astype(int)\n"
        "    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes).copy())\n\n\n"
    )
    text = reader + _function(
        "Images (values from 0 to 1) and labels of a folder of IDX files.",
        f"root = Path({str(subject.project.data.options.get('path', ''))!r})",
        "images = sorted(root.glob('*train*images*'))[0]",
        "labels = sorted(root.glob('*train*labels*'))[0]",
        "return read_idx(images).unsqueeze(1).float() / 255, read_idx(labels).long()",
    )
    return Loader(text, ("import gzip", "from pathlib import Path"), ("import numpy as np",))


def _arrays(subject: Exportable) -> Loader:
    cast = "long()" if classes(subject) else "float()"
    text = _function(
        "Your examples: data.npz with the arrays ``inputs`` (one example a row) and ``targets``.",
        'data = np.load("data.npz")',
        f"return torch.from_numpy(data['inputs']).float(), torch.from_numpy(data['targets']).{cast}",
    )
    return Loader(text, imports=("import numpy as np",))


_POINTS: Mapping[str, Value] = {"n": 1000, "seed": 0}
_WORDS = {"n": "n_samples", "noise": "noise", "seed": "random_state"}

_SOURCES: Mapping[str, Callable[[Exportable], Loader | None]] = {
    "digits": _bundle(
        "load_digits", "1,797 handwritten digits.", "torch.from_numpy(data.images / 16).float().unsqueeze(1)"
    ),
    "iris": _bundle("load_iris", "150 irises of three species.", _FEATURES),
    "wine": _bundle("load_wine", "178 wines of three cultivars.", _FEATURES),
    "breast_cancer": _bundle("load_breast_cancer", "569 biopsies, malignant or benign.", _FEATURES),
    "diabetes": _bundle("load_diabetes", "442 patients and their progression after a year.", _FEATURES),
    "moons": _generated("make_moons", "Two half circles that interlock.", {**_POINTS, "noise": 0.2}, _WORDS),
    "circles": _generated(
        "make_circles",
        "A circle within a circle.",
        {**_POINTS, "noise": 0.1, "factor": 0.5},
        {**_WORDS, "factor": "factor"},
    ),
    "blobs": _generated(
        "make_blobs",
        "Round clouds of points.",
        {**_POINTS, "classes": 3, "noise": 1.0},
        {"n": "n_samples", "classes": "centers", "noise": "cluster_std", "seed": "random_state"},
    ),
    "spirals": _spirals,
    "csv": _csv,
    "image_folder": _image_folder,
    "idx": _idx,
}
