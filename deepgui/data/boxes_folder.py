"""Images with boxes around the things in them: Pascal VOC, CSV and COCO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.box_annotations import Annotated, Annotations, Box
from deepgui.data.box_tables import coco_files, is_box_csv, read_box_csv, read_coco
from deepgui.data.class_folders import fixed_rows
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.image_files import ImageHeader, ImageShape, placement
from deepgui.data.image_folder import Pictures
from deepgui.data.image_forms import COLOR, SIZE, common_form, read_headers
from deepgui.data.reading import FileTable, table_of
from deepgui.data.table import Table
from deepgui.data.voc import has_xml, read_voc

FORMATS = ("auto", "voc", "csv", "coco")
PARAMS = (
    ParamSpec(
        "path",
        "str",
        required=True,
        doc="A folder with images and their boxes, as Pascal VOC (XML) or COCO (JSON) arrange them; or a CSV or JSON "
        "file beside or above its images.",
    ),
    ParamSpec("format", "choice", "auto", choices=FORMATS, doc="How the boxes are written. Auto: as found."),
    SIZE,
    COLOR,
    ParamSpec(
        "fit",
        "choice",
        "pad",
        choices=("pad", "stretch"),
        doc="What to do with another aspect ratio: pad with black, or stretch. Cropping would cut boxes.",
    ),
)


def read_boxes_folder(options: Mapping[str, Value], learnt: tuple[Field, ...] = ()) -> Table:
    """Open images with their boxes, by the options of :data:`PARAMS`; see there.

    Args:
        learnt: the fields that a network has learnt with: its classes, and how many boxes an image has.

    Raises:
        DataError: files that cannot be read or do not fit together, or a class that the network does not know.
    """
    known = next((f for f in learnt if f.kind == "boxes"), None)
    root = Path(str(options["path"])).expanduser()
    found = _annotations(root, str(options["format"]))
    files = tuple(item.image for item in found.items)
    headers = read_headers(root, files)
    kept, notes = _within(found.items, headers)
    form = common_form(files, headers, options)
    names = known.classes if known else found.names or tuple(sorted({box.name for own in kept for box in own}))
    if not names:
        raise DataError("there is no box in any of the images", file=root)
    if known:
        _check_names(found.items, names)
    boxes = _tensor(kept, headers, names, form)
    if known:
        boxes, more = _cut(boxes, known.shape[0])
        notes += more
    fields = (Field("image", "image", form.shape), Field("boxes", "boxes", tuple(boxes.shape[1:]), classes=names))
    fixed = fixed_rows(item.split for item in found.items)
    notes = (*found.notes, *notes)
    table = FileTable(fields, "boxes", len(files), Pictures(files, form), {"boxes": boxes}, fixed, notes=notes)
    return table_of(table, root, "pictures read")


def _annotations(path: Path, way: str) -> Annotations:
    if path.is_file():
        way = {".csv": "csv", ".json": "coco"}.get(path.suffix.lower(), way) if way == "auto" else way
        if way == "csv":
            return read_box_csv(path)
        if way == "coco":
            inside = path.parent.name.casefold() == "annotations"  # the images then lie beside that folder
            return read_coco(path.parent.parent if inside else path.parent, [path])
        raise DataError("boxes are read from CSV and JSON files, or from a folder of XML files", file=path)
    if not path.is_dir():
        raise DataError("there is no such file or folder", file=path)
    if way == "auto":
        way = "voc" if has_xml(path) else "coco" if coco_files(path) else "csv"
    if way == "voc":
        return read_voc(path)
    if way == "coco" and coco_files(path):
        return read_coco(path, coco_files(path))
    suitable = [table for table in sorted(path.glob("*.csv")) if is_box_csv(table)]
    if way == "coco" or not suitable:
        raise DataError("there are no boxes in it as XML (Pascal VOC), JSON (COCO) or CSV", file=path)
    if len(suitable) > 1:
        text = f"there are several tables of boxes ({suitable[0].name}, {suitable[1].name}): name one as the path"
        raise DataError(text, file=path)
    return read_box_csv(suitable[0])


def _within(items: tuple[Annotated, ...], headers: list[ImageHeader]) -> tuple[list[list[Box]], tuple[str, ...]]:
    """The boxes of every image cut at its edges, without those of no area; and what was done. Raises DataError."""
    kept: list[list[Box]] = []
    empty, cut = Counter[Path](), Counter[Path]()
    for item, header in zip(items, headers, strict=True):
        if item.size is not None and item.size != (header.width, header.height):
            sizes = f"{item.size[0]}×{item.size[1]} pixels, but {item.image.name} has {header.width}×{header.height}"
            raise DataError(f"the boxes are made for an image of {sizes}", file=item.file, row=item.row)
        own = []
        for box in item.boxes:
            x_min, x_max = (min(max(x, 0.0), float(header.width)) for x in (box.x_min, box.x_max))
            y_min, y_max = (min(max(y, 0.0), float(header.height)) for y in (box.y_min, box.y_max))
            inside = Box(box.name, x_min, y_min, x_max, y_max)
            if x_max <= x_min or y_max <= y_min:
                empty[item.file if item.row is None else item.image] += 1
                continue
            cut[item.file if item.row is None else item.image] += inside != box
            own.append(inside)
        kept.append(own)
    notes = []
    for counted, what in ((empty, "left out for having no area in the image"), (cut, "cut at the edge of the image")):
        if total := sum(counted.values()):
            first = next(path for path, count in counted.items() if count)
            count = "1 box is" if total == 1 else f"{total:,} boxes are"
            notes.append(f"{count} {what}, such as in {first.name}")
    return kept, tuple(notes)


def _check_names(items: tuple[Annotated, ...], names: tuple[str, ...]) -> None:
    for item in items:
        for box in item.boxes:
            if box.name not in names:
                text = f"the network does not know the class {box.name!r}: it knows {', '.join(names)}"
                raise DataError(text, file=item.file, row=item.row)


def _cut(boxes: Tensor, most: int) -> tuple[Tensor, tuple[str, ...]]:
    """The boxes (N, M, 5) with room for ``most`` in each image, the largest first where that is too little."""
    missing = most - boxes.shape[1]
    if missing >= 0:
        nothing = boxes.new_tensor([-1.0, 0.0, 0.0, 0.0, 0.0])
        return torch.cat([boxes, nothing.expand(len(boxes), missing, 5)], dim=1), ()
    order = (boxes[..., 3] * boxes[..., 4]).argsort(dim=1, descending=True)
    ordered = boxes.gather(1, order[..., None].expand_as(boxes))
    lost = int((ordered[:, most:, 0] >= 0).sum())
    return ordered[:, :most], (f"{lost:,} of the smallest boxes left out: the network learnt with {most} an image",)


def _tensor(boxes: list[list[Box]], headers: list[ImageHeader], names: tuple[str, ...], form: ImageShape) -> Tensor:
    """All boxes as shares of the images as they are read, (N, M, 5); class -1 for none."""
    codes = {name: code for code, name in enumerate(names)}
    most = max(1, max(len(own) for own in boxes))
    found = torch.zeros(len(boxes), most, 5)
    found[:, :, 0] = -1
    for row, (own, header) in enumerate(zip(boxes, headers, strict=True)):
        if not own:
            continue
        place = placement(header, form)
        x_min, y_min, x_max, y_max = torch.tensor([box[1:] for box in own], dtype=torch.float64).T
        x_scale, y_scale = place.scale_x / form.width, place.scale_y / form.height
        columns = (
            torch.tensor([codes[box.name] for box in own], dtype=torch.float64),
            (x_min + x_max) / 2 * x_scale + place.left / form.width,
            (y_min + y_max) / 2 * y_scale + place.top / form.height,
            (x_max - x_min) * x_scale,
            (y_max - y_min) * y_scale,
        )
        found[row, : len(own)] = torch.stack(columns, dim=1).to(torch.float32)
    return found
