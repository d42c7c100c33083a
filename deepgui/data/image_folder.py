"""Folders of images, one folder a class, as torchvision's ImageFolder arranges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.class_folders import Listing, Sort, list_classes
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.image_files import EXTENSIONS, ImageHeader, ImageShape, read_header, read_image
from deepgui.data.reading import FileTable, read_all, table_of
from deepgui.data.table import Table

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


SORT = Sort(EXTENSIONS, "image")


@dataclass(frozen=True)
class _Pictures:
    """Reads the image of an example."""

    files: tuple[Path, ...]
    form: ImageShape

    def __call__(self, row: int) -> dict[str, Tensor]:
        return {"image": read_image(self.files[row], self.form)}


def read_image_folder(options: Mapping[str, Value]) -> Table:
    """Open a folder of images with the options of :data:`PARAMS`; see there. Raises DataError."""
    listing = list_classes(_root(options), SORT)
    form = _form(listing, read_headers(listing.root, listing.files), options)
    fields = _fields(listing, form)
    labels = torch.tensor(listing.labels, dtype=torch.int64)
    fixed = {name: torch.arange(*span) for name, span in listing.splits.items()}
    reader = _Pictures(listing.files, form)
    table = FileTable(fields, "label", len(labels), reader, {"label": labels}, fixed, notes=_notes(listing))
    return table_of(table, listing.root, "pictures read")


def image_folder_fields(options: Mapping[str, Value]) -> tuple[Field, ...]:
    """The fields, judged by the first image alone where the options leave something open."""
    listing = list_classes(_root(options), SORT)
    return _fields(listing, _form(listing, [read_header(listing.files[0])], options))


def read_headers(root: Path, files: Sequence[Path]) -> list[ImageHeader]:
    """The header of every file. Raises DataError that counts the files that are no images and names the first."""
    return read_all(root, files, read_header, "pictures looked at")


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
