"""How the images of a folder are brought to one shape: the options, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.image_files import ImageHeader, ImageShape, read_header
from deepgui.data.reading import read_all

SIZE = ParamSpec(
    "size",
    "ints",
    None,
    nullable=True,
    minimum=1,
    length=2,
    doc="Height and width in pixels. Empty: as the images are, if they are all of one size.",
)
COLOR = ParamSpec(
    "color", "choice", "auto", choices=("auto", "rgb", "gray"), doc="Channels. Auto: grey if all images are."
)
FIT = ParamSpec(
    "fit",
    "choice",
    "crop",
    choices=("crop", "stretch", "pad"),
    doc="What to do with another aspect ratio: crop the longer side, stretch, or pad with black.",
)


def read_headers(root: Path, files: Sequence[Path]) -> list[ImageHeader]:
    """The header of every file. Raises DataError that counts the files that are no images and names the first."""
    return read_all(root, files, read_header, "pictures looked at")


def common_form(files: Sequence[Path], headers: Sequence[ImageHeader], options: Mapping[str, Value]) -> ImageShape:
    """The shape that images with these headers are brought to, by the options above.

    Raises:
        DataError: the images differ in size, and no size is set.
    """
    color, size = options["color"], options["size"]
    gray = color == "gray" or (color == "auto" and all(h.gray for h in headers))
    fit = str(options["fit"])
    if size is not None:
        numbers = size if isinstance(size, tuple) else (size,)
        height, width = int(str(numbers[0])), int(str(numbers[-1]))
        return ImageShape(height, width, gray, fit)
    first = headers[0]
    for path, header in zip(files, headers, strict=False):
        if header[:2] != first[:2]:
            text = (
                f"the images differ in size ({first.height}×{first.width} and {header.height}×{header.width}): "
                "set size to the height and width that all are brought to"
            )
            raise DataError(text, file=path)
    return ImageShape(first.height, first.width, gray, fit)
