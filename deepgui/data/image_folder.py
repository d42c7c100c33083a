"""Folders of images, one folder a class, as torchvision's ImageFolder arranges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.image_files import ImageHeader, ImageShape, read_header, read_image
from deepgui.data.image_listing import Listing, list_images, read_all, verify
from deepgui.data.table import Table, TensorTable, fits

PARAMS = (
    ParamSpec("path", "str", required=True, doc="The folder; one folder a class in it, or in its train, val and test."),
    ParamSpec(
        "size",
        "ints",
        None,
        nullable=True,
        minimum=1,
        length=2,
        doc="Height and width in pixels. Empty: as the images are, if they are all of one size.",
    ),
    ParamSpec(
        "color", "choice", "auto", choices=("auto", "rgb", "gray"), doc="Channels. Auto: grey if all images are."
    ),
    ParamSpec(
        "fit",
        "choice",
        "crop",
        choices=("crop", "stretch", "pad"),
        doc="What to do with another aspect ratio: crop the longer side, stretch, or pad with black.",
    ),
)


@dataclass(frozen=True, eq=False)
class FileTable:
    """Images that do not fit in memory: read and decoded when they are asked for. Travels to worker processes."""

    fields: tuple[Field, ...]
    target: str
    files: tuple[Path, ...]
    classes: Tensor
    form: ImageShape
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = False

    def __len__(self) -> int:
        return len(self.files)

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        images = torch.stack([read_image(self.files[i], self.form) for i in indices.tolist()])
        return {"image": images.to(torch.float32).div_(255), "label": self.classes[indices]}

    def labels(self) -> Tensor | None:
        return self.classes if self.target == "label" else None


def read_image_folder(options: Mapping[str, Value]) -> Table:
    """Open a folder of images with the options of :data:`PARAMS`; see there. Raises DataError."""
    listing = list_images(_root(options))
    headers = verify(listing)
    form = _form(listing, headers, options)
    fields = _fields(listing, form)
    labels = torch.tensor(listing.labels, dtype=torch.int64)
    fixed = {name: torch.arange(*span) for name, span in listing.splits.items()}
    notes = _notes(listing)
    if not fits(len(listing.files), fields):
        return FileTable(fields, "label", listing.files, labels, form, fixed, notes=notes)
    images = torch.stack(read_all(listing.root, listing.files, partial(read_image, form=form), "pictures read"))
    return TensorTable(fields, "label", {"image": images, "label": labels}, fixed=fixed, notes=notes)


def image_folder_fields(options: Mapping[str, Value]) -> tuple[Field, ...]:
    """The fields, judged by the first image alone where the options leave something open."""
    listing = list_images(_root(options))
    return _fields(listing, _form(listing, [read_header(listing.files[0])], options))


def _root(options: Mapping[str, Value]) -> Path:
    return Path(str(options["path"])).expanduser()


def _form(listing: Listing, headers: list[ImageHeader], options: Mapping[str, Value]) -> ImageShape:
    color, size = options["color"], options["size"]
    gray = color == "gray" or (color == "auto" and all(h.gray for h in headers))
    fit = str(options["fit"])
    if size is not None:
        numbers = size if isinstance(size, tuple) else (size,)
        height, width = int(str(numbers[0])), int(str(numbers[-1]))
        return ImageShape(height, width, gray, fit)
    first = headers[0]
    for path, header in zip(listing.files, headers, strict=False):
        if header[:2] != first[:2]:
            text = (
                f"the images differ in size ({first.height}×{first.width} and {header.height}×{header.width}): "
                "set size to the height and width that all are brought to"
            )
            raise DataError(text, file=path)
    return ImageShape(first.height, first.width, gray, fit)


def _fields(listing: Listing, form: ImageShape) -> tuple[Field, ...]:
    return (Field("image", "image", form.shape), label_field("label", listing.classes))


def _notes(listing: Listing) -> tuple[str, ...]:
    if not listing.skipped:
        return ()
    count = len(listing.skipped)
    files = "1 file that is" if count == 1 else f"{count} files that are"
    return (f"{files} not read as images left out, such as {listing.skipped[0].name}",)
