"""Folders of images, one folder a class, as torchvision's ImageFolder arranges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.class_folders import Listing, Sort, list_classes
from deepgui.data.fields import Field, label_field
from deepgui.data.image_files import EXTENSIONS, ImageShape, read_header, read_image
from deepgui.data.image_forms import COLOR, FIT, SIZE, common_form, read_headers
from deepgui.data.reading import FileTable, table_of
from deepgui.data.table import Table

PARAMS = (
    ParamSpec("path", "str", required=True, doc="The folder; one folder a class in it, or in its train, val and test."),
    SIZE,
    COLOR,
    FIT,
)
SORT = Sort(EXTENSIONS, "image")


@dataclass(frozen=True)
class Pictures:
    """Reads the field ``image`` of an example from a file."""

    files: tuple[Path, ...]
    form: ImageShape

    def __call__(self, row: int) -> dict[str, Tensor]:
        return {"image": read_image(self.files[row], self.form)}


def read_image_folder(options: Mapping[str, Value]) -> Table:
    """Open a folder of images with the options of :data:`PARAMS`; see there. Raises DataError."""
    listing = list_classes(_root(options), SORT)
    form = common_form(listing.files, read_headers(listing.root, listing.files), options)
    fields = _fields(listing, form)
    labels = torch.tensor(listing.labels, dtype=torch.int64)
    fixed = {name: torch.arange(*span) for name, span in listing.splits.items()}
    reader = Pictures(listing.files, form)
    table = FileTable(fields, "label", len(labels), reader, {"label": labels}, fixed, notes=_notes(listing))
    return table_of(table, listing.root, "pictures read")


def image_folder_fields(options: Mapping[str, Value]) -> tuple[Field, ...]:
    """The fields, judged by the first image alone where the options leave something open."""
    listing = list_classes(_root(options), SORT)
    return _fields(listing, common_form(listing.files, [read_header(listing.files[0])], options))


def _root(options: Mapping[str, Value]) -> Path:
    return Path(str(options["path"])).expanduser()


def _fields(listing: Listing, form: ImageShape) -> tuple[Field, ...]:
    return (Field("image", "image", form.shape), label_field("label", listing.classes))


def _notes(listing: Listing) -> tuple[str, ...]:
    if not listing.skipped:
        return ()
    count = len(listing.skipped)
    files = "1 file that is" if count == 1 else f"{count} files that are"
    return (f"{files} not read as images left out, such as {listing.skipped[0].name}",)
