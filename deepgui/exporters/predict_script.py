"""The text of ``predict.py``: asks the exported network about files, with plain PyTorch."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepgui.catalog.spec import Value
from deepgui.data.columns import TableForm
from deepgui.data.csv_text import MISSING
from deepgui.exporters.exportable import Exportable, shape_of

_TEXT = '''\
"""Ask the trained network about files.

    python predict.py FILE [FILE ...]

{files}
"""

from __future__ import annotations

{imports}

from {module} import {name}

WEIGHTS = Path(__file__).with_name("{module}.safetensors")
{constants}

{reader}


def normalize(inputs: Tensor) -> Tensor:
    """Inputs on the scale that the network was trained on."""
{normalize}


@torch.no_grad()
def main() -> None:
    asked = argparse.ArgumentParser(description="Ask the trained network about files.")
    asked.add_argument("files", nargs="+", metavar="FILE", help="{file}")
    paths = asked.parse_args().files
    model = {name}()
    model.load_state_dict(load_file(WEIGHTS))
    model.eval()
    for path in paths:
{answers}


if __name__ == "__main__":
    main()
'''

_IMAGE = '''\
def read(path: str) -> Tensor:
    """The examples in a file (N x C x H x W, values from 0 to 1): a picture, or a .npy array of several."""
    if path.endswith(".npy"):
        return torch.from_numpy(np.load(path)).float().reshape(-1, *SHAPE)
    channels, height, width = SHAPE
    picture = ImageOps.exif_transpose(Image.open(path)).convert("L" if channels == 1 else "RGB")
    picture = {fit}
    pixels = np.array(picture, dtype=np.float32) / 255
    return torch.from_numpy(pixels).reshape(1, height, width, channels).permute(0, 3, 1, 2)'''

_FITS = {
    "crop": "ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)",
    "stretch": "picture.resize((width, height), Image.Resampling.BILINEAR)",
    "pad": "ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR)",
}

_NUMBERS = '''\
def read(path: str) -> Tensor:
    """The examples in a file, one a row: a .npy array, or numbers separated by commas."""
    rows = np.load(path) if path.endswith(".npy") else np.loadtxt(path, delimiter=",", ndmin=2)
    return torch.from_numpy(rows).{cast}().reshape(-1, *SHAPE)'''

_TABLE = '''\
def read(path: str) -> Tensor:
    """The examples in a file, one a row: a .npy array, or a table, with the names of its columns or without."""
    if path.endswith(".npy"):
        return torch.from_numpy(np.load(path)).float().reshape(-1, *SHAPE)
    rows = read_rows(path)
    if any(column in rows[0] for column in COLUMNS):
        places = [rows[0].index(column) for column in COLUMNS]
        rows = rows[1:]
    else:
        places = {places}
    return torch.tensor([{row} for row in rows])


def read_rows(path: str) -> list[list[str]]:
    """The cells of a text table."""
    text = Path(path).read_text(encoding="utf-8-sig")
    delimiter = {delimiter}
    rows = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows if row]


def number(cell: str) -> float:
    """A cell's number, NaN where there is none."""
    try:
        return float(cell{decimal})
    except ValueError:
        return math.nan{category}'''

_NUMBER_ROW = "[number(row[place]) for place in places]"
_MIXED_ROW = "[x for column, place in zip(COLUMNS, places) for x in elements(row[place], column)]"

_ELEMENTS = '''


def elements(cell: str, column: str) -> list[float]:
    """What a cell becomes: {becomes}; NaN where there is no value."""
{lines}'''

_ONE_HOT = ("a 1 at the place of its category", "[float(cell == value) for value in CATEGORIES[column]]")
_CODE = ("the number of its category", "[float(CATEGORIES[column].index(cell))]")

_CLASS_ANSWERS = """\
        for row, probabilities in enumerate({probabilities}):
            best = int(probabilities.argmax())
            print(f"{{path}}[{{row}}]: {{CLASSES[best]}} ({{probabilities[best]:.1%}})")"""

_SOFTMAX = "model(normalize(read(path))).softmax(1)"
_SIGMOID = "torch.stack([1 - (p := model(normalize(read(path))).flatten().sigmoid()), p], dim=1)"

_NUMBER_ANSWERS = """\
        answers = model(normalize(read(path))) * TARGET_SCALE + TARGET_SHIFT
        for row, answer in enumerate(answers.tolist()):
            print(f"{path}[{row}]: {answer}")"""


_LINE = 96


def predict_script(subject: Exportable, module: str, name: str) -> str:
    """The script for a network of one Input.

    Args:
        module: stem of the exported module's file.
        name: the exported class.
    """
    kind = input_kind(subject)
    file = "a table with one example a row, or a NumPy array (.npy)"
    if kind == "image":
        file = "a picture, or a NumPy array of several (.npy)"
    return _TEXT.format(
        module=module,
        name=name,
        files=f"FILE is {file}.",
        file=file,
        imports=_imports(kind),
        constants=_constants(subject, kind),
        reader=_reader(subject, kind),
        normalize=_normalize(subject),
        answers=_class_answers(subject) if classes(subject) else _NUMBER_ANSWERS,
    )


def input_kind(subject: Exportable) -> str:
    """How ``read`` gets examples: ``image``, ``table`` (named columns) or ``numbers``."""
    shape = shape_of(subject.inputs[0])
    if not subject.fields:
        return "image" if len(shape) == 3 and shape[0] in (1, 3) else "numbers"
    field = subject.fields[0]
    if field.kind == "image" and field.shape[0] in (1, 3):
        return "image"
    return "table" if field.columns and len(field.shape) == 1 else "numbers"


def classes(subject: Exportable) -> tuple[str, ...]:
    """Names of the classes; empty if numbers are predicted."""
    return subject.target.classes if subject.target else ()


def _class_answers(subject: Exportable) -> str:
    return _CLASS_ANSWERS.format(probabilities=_SIGMOID if subject.single_output else _SOFTMAX)


def _imports(kind: str) -> str:
    standard = ["import argparse", "from pathlib import Path"]
    others = [
        "import numpy as np",
        "import torch",
        "from safetensors.torch import load_file",
        "from torch import Tensor",
    ]
    if kind == "table":
        standard = ["import argparse", "import csv", "import math", *standard[1:]]
    if kind == "image":
        others.insert(2, "from PIL import Image, ImageOps")
    return "\n".join([*standard, "", *others])


def _constants(subject: Exportable, kind: str) -> str:
    lines = [f"SHAPE = {shape_of(subject.inputs[0])!r}  # of one example"]
    if kind == "table":
        lines += _table_constants(table_form(subject))
    if names := classes(subject):
        lines.append(f"CLASSES = {_words(names)}")
    own = _scale(subject, subject.fields[0].name if subject.fields else "")
    if own:
        lines += [f"INPUT_SHIFT = {_tensor(own, 'shift')}", f"INPUT_SCALE = {_tensor(own, 'scale')}"]
        lines += [f"INPUT_MISSING = {_tensor(own, 'fill')}"] if own.get("fill") else []
    if not classes(subject):
        target = _scale(subject, subject.target.name if subject.target else "")
        lines.append(f"TARGET_SHIFT = {_tensor(target, 'shift') if target else '0.0'}")
        lines.append(f"TARGET_SCALE = {_tensor(target, 'scale') if target else '1.0'}")
    return "\n".join(lines) + "\n"


def table_form(subject: Exportable) -> TableForm:
    """How the columns of a table become the network's input."""
    field = subject.fields[0]
    return field.form or TableForm.of_numbers(field.columns, len(field.columns))


def _table_constants(form: TableForm) -> Iterator[str]:
    yield f"COLUMNS = {_words([column.name for column in form.columns])}"
    categories = [column for column in form.columns if column.categories]
    usual = {c.name: json.dumps(c.usual, ensure_ascii=False) for c in categories if c.usual}
    flagged = [column.name for column in form.columns if column.flagged]
    if categories:
        yield _mapping("CATEGORIES", {column.name: _words(column.categories) for column in categories})
    if usual:
        yield _mapping("USUAL", usual)
    if flagged:
        yield f"FLAGGED = {_words(flagged)}"
    if categories or flagged:
        yield f"MISSING = {_words(sorted(MISSING))}"


def _mapping(name: str, items: Mapping[str, str]) -> str:
    lines = "".join(f"    {json.dumps(key, ensure_ascii=False)}: {text},\n" for key, text in items.items())
    return f"{name} = {{\n{lines}}}"


def _words(texts: Sequence[str]) -> str:
    """A tuple of texts as a formatter writes it, with double quotes."""
    return f"({', '.join(json.dumps(text, ensure_ascii=False) for text in texts)}{',' * (len(texts) == 1)})"


def _scale(subject: Exportable, field: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = subject.normalizer.get("fields", {}).get(field, {})
    return found


def _tensor(scale: Mapping[str, Any], part: str) -> str:
    """A constant tensor; nine digits are all that float32 holds."""
    numbers = ", ".join(f"{value:.9g}" for value in scale[part])
    if len(numbers) > 72:
        numbers = "\n" + textwrap.fill(f"{numbers},", _LINE, initial_indent="    ", subsequent_indent="    ") + "\n"
    spread = ".reshape(-1, 1, 1)" if scale["kind"] == "image" else ""
    return f"torch.tensor([{numbers}], dtype=torch.float32){spread}"


def _reader(subject: Exportable, kind: str) -> str:
    options = subject.project.data.options
    if kind == "image":
        return _IMAGE.replace("{fit}", _FITS.get(str(options.get("fit", "crop")), _FITS["crop"]))
    if kind == "numbers":
        dtype = str(subject.inputs[0].params.get("dtype", "float32"))
        return _NUMBERS.format(cast="float" if "float" in dtype else "long")
    return _table_reader(table_form(subject), options)


def _table_reader(form: TableForm, options: Mapping[str, Value]) -> str:
    comma = options.get("decimal") == ","
    given = str(options.get("delimiter", "")).replace("tab", "\t").replace("\\t", "\t")
    candidates = ";|\t" if comma else ",;|\t"
    places = "range(len(COLUMNS))"
    if form.width > len(form.columns):
        known = ", ".join(str(column.place) for column in form.columns)
        places = f"{places} if len(rows[0]) == len(COLUMNS) else [{known}]"
    mixed = any(column.categories or column.flagged for column in form.columns)
    return _filled(
        _TABLE,
        places=places,
        row=_MIXED_ROW if mixed else _NUMBER_ROW,
        delimiter=json.dumps(given) if given else f"max({json.dumps(candidates)}, key=text.count)",
        decimal='.replace(".", "").replace(",", ".")' if comma else "",
        category=_elements(form) if mixed else "",
    )


def _elements(form: TableForm) -> str:
    """The function that turns a cell into the elements of its column."""
    categories = [column for column in form.columns if column.categories]
    flagged = any(column.flagged for column in form.columns)
    becomes, encoded = _ONE_HOT if categories and categories[0].one_hot else _CODE
    flag = ", *flag" if flagged else ""
    lines = []
    if flagged:
        lines.append("flag = [float(cell.lower() in MISSING)] if column in FLAGGED else []")
    if any(column.usual for column in categories):
        lines.append("cell = USUAL.get(column, cell) if cell.lower() in MISSING else cell")
    if not categories:
        lines.append(f"return [number(cell){flag}]")
    else:
        width = " * len(CATEGORIES[column])" if categories[0].one_hot else ""
        lines += ["if column not in CATEGORIES:", f"    return [number(cell){flag}]", "if cell.lower() in MISSING:"]
        lines.append(f"    return [*([math.nan]{width}){flag}]" if flag else f"    return [math.nan]{width}")
        lines.append("if cell not in CATEGORIES[column]:")
        known = "{', '.join(CATEGORIES[column])}"
        lines.append(f'    sys.exit(f"{{column}} is {{cell!r}}; the network knows {known}")')
        lines.append(f"return [*{encoded}{flag}]" if flag else f"return {encoded}")
    text = "its number" + (f", or {becomes}" if categories else "") + (", and whether it is missing" if flag else "")
    return _filled(_ELEMENTS, becomes=text, lines="\n".join(f"    {line}" for line in lines))


def _filled(text: str, **parts: str) -> str:
    """``str.format`` for a text that has braces of its own."""
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


def _normalize(subject: Exportable) -> str:
    own = _scale(subject, subject.fields[0].name if subject.fields else "")
    if not own:
        return "    return inputs"
    filled = "    inputs = torch.where(inputs.isnan(), INPUT_MISSING, inputs)\n" if own.get("fill") else ""
    return f"{filled}    return (inputs - INPUT_SHIFT) / INPUT_SCALE"
