"""Boxes in one file: a CSV table with a row for each, or COCO's JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepgui.data.box_annotations import Annotated, Annotations, Box, ImageIndex, box, split_called, split_of
from deepgui.data.errors import DataError

_COLUMNS = {
    "image": ("filename", "image", "file", "image_id", "image_name", "path"),
    "name": ("class", "label", "name", "cell_type", "category"),
    "x_min": ("xmin", "x_min", "x1", "left"),
    "y_min": ("ymin", "y_min", "y1", "top"),
    "x_max": ("xmax", "x_max", "x2", "right"),
    "y_max": ("ymax", "y_max", "y2", "bottom"),
}
_HEADER_BYTES = 4096


def csv_columns(header: Sequence[str]) -> dict[str, int] | None:
    """Where a table has the image, the class and the sides of a box; None if it lacks one of them."""
    own = [cell.strip().casefold() for cell in header]
    found = {wanted: next((own.index(n) for n in names if n in own), -1) for wanted, names in _COLUMNS.items()}
    return None if -1 in found.values() else found


def is_box_csv(path: Path) -> bool:
    """Whether a file is a table of boxes, judged by its header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(_HEADER_BYTES)
    except (OSError, ValueError):
        return False
    return csv_columns(next(csv.reader([header]), [])) is not None


def read_box_csv(path: Path) -> Annotations:
    """A row for each box; the images lie anywhere below the folder of the table. Raises DataError."""
    index, boxes, first = ImageIndex(path.parent), dict[Path, list[Box]](), dict[Path, int]()
    images: dict[str, Path | None] = {}
    rows = _rows(path)
    header = next(rows, (1, []))[1]
    places = csv_columns(header)
    if places is None:
        text = "the header must name the image, the class, xmin, ymin, xmax and ymax of every box, not "
        raise DataError(text + (", ".join(header) or "nothing"), file=path, row=1)
    for row, cells in rows:
        if len(cells) < len(header):
            raise DataError(f"{len(cells)} cells where the header has {len(header)}", file=path, row=row)
        name = cells[places["image"]].strip()
        if name not in images:
            images[name] = index.find(name, path)
        image = images[name]
        if image is None:
            raise DataError(f"there is no image {name!r} below {path.parent}", file=path, row=row)
        sides = [cells[places[side]] for side in Box._fields[1:]]
        boxes.setdefault(image, []).append(box(cells[places["name"]].strip(), sides, path, row))
        first.setdefault(image, row)
    return Annotations(tuple(Annotated(image, tuple(own), "", path, first[image]) for image, own in boxes.items()))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of all rows that are not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, cells
    except OSError as error:
        raise DataError(f"the table cannot be read ({error.strerror})", file=path) from None
    except UnicodeDecodeError:
        raise DataError("the table is not UTF-8 text: save it as UTF-8", file=path) from None
    except csv.Error as error:
        raise DataError(f"the table cannot be read ({error})", file=path, row=reader.line_num) from None


def coco_files(root: Path) -> list[Path]:
    """JSON files in a folder and in its folders."""
    return sorted(path for pattern in ("*.json", "*/*.json") for path in root.glob(pattern))


def read_coco(root: Path, files: Sequence[Path]) -> Annotations:
    """COCO's ``images``, ``annotations`` and ``categories`` of some files below a folder, one a split if named so.

    Raises:
        DataError: a file that is no such JSON, an unknown image or category, or an image that is missing.
    """
    index = ImageIndex(root)
    items: list[Annotated] = []
    names: dict[str, None] = {}
    for path in files:
        found, own = _one_coco(path, root, index)
        items += found
        names.update(dict.fromkeys(own))
    splits = {item.split for item in items}
    if "train" not in splits and splits != {""}:  # a single val.json is no reason to train on nothing
        items = [Annotated(i.image, i.boxes, "", i.file, size=i.size) for i in items]
    return Annotations(tuple(items), tuple(names))


def _one_coco(path: Path, root: Path, index: ImageIndex) -> tuple[list[Annotated], list[str]]:
    content = _json(path)
    try:
        names = {c["id"]: str(c["name"]) for c in sorted(content["categories"], key=lambda c: c["id"])}
        boxes: dict[Any, list[Box]] = {image["id"]: [] for image in content["images"]}
        for place, item in enumerate(content["annotations"]):
            if item["category_id"] not in names:
                raise DataError(f"annotation {place} has the unknown category {item['category_id']}", file=path)
            if item["image_id"] not in boxes:
                raise DataError(f"annotation {place} belongs to the unknown image {item['image_id']}", file=path)
            if item.get("iscrowd"):
                continue  # marks a region of many, no single thing
            x, y, width, height = (float(v) for v in item["bbox"])
            own = box(names[item["category_id"]], (x, y, x + width, y + height), path)
            boxes[item["image_id"]].append(own)
        split = _split_of_json(path, root)
        found = [_located(i, tuple(boxes[i["id"]]), split, path, index) for i in content["images"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        text = f"this is not COCO's JSON of images, annotations and categories ({type(error).__name__}: {error})"
        raise DataError(text, file=path) from None
    used = {b.name for item in found for b in item.boxes}
    return found, [name for name in names.values() if name in used]


def _located(image: Mapping[str, Any], boxes: tuple[Box, ...], split: str, path: Path, index: ImageIndex) -> Annotated:
    place = index.find(str(image["file_name"]), path, split)
    if place is None:
        raise DataError(f"there is no image {image['file_name']!r} for it", file=path)
    width, height = image.get("width"), image.get("height")
    return Annotated(place, boxes, split, path, size=(int(width), int(height)) if width and height else None)


def _split_of_json(path: Path, root: Path) -> str:
    """From the name of the file (``instances_train2017.json``) or of a folder on the way to it."""
    words = path.stem.replace("-", "_").split("_")
    return next(filter(None, map(split_called, words)), split_of(path, root))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=path) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"this is not JSON ({error})", file=path) from None
