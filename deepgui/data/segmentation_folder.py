"""A folder of images and one of masks that say what every pixel belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.class_folders import SPLIT_FOLDERS, Sort, files_below, fixed_rows, split_folders, subfolders
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.image_files import EXTENSIONS, ImageHeader, ImageShape, read_image
from deepgui.data.image_forms import COLOR, FIT, SIZE, common_form, read_headers
from deepgui.data.mask_files import VOID, codes_in, is_colored, read_classmap
from deepgui.data.reading import FileTable, read_all, table_of
from deepgui.data.table import Table

PARAMS = (
    ParamSpec("path", "str", required=True, doc="The folder that has the folder of images and the folder of masks."),
    ParamSpec("images", "str", "", doc="Name of the folder of images. Empty: images, JPEGImages or the like."),
    ParamSpec("masks", "str", "", doc="Name of the folder of masks. Empty: masks, labels, SegmentationClass, ..."),
    ParamSpec(
        "classes",
        "str",
        "",
        doc="Names of the classes, separated by commas, in the order of the values in the masks. Empty: as found.",
    ),
    SIZE,
    COLOR,
    FIT,
)
IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages")
MASK_FOLDERS = ("masks", "mask", "labels", "label", "segmentationclass", "annotations", "gt", "trimaps")
_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt", "_l")
_BORDER = 255  # Pascal VOC's mark for pixels of no class, in a palette or in grey
_SORT = Sort((*EXTENSIONS, ".gif"), "image")


@dataclass(frozen=True)
class _Pair:
    image: Path
    mask: Path
    split: str


@dataclass(frozen=True)
class _Legend:
    """The numbers or colours in masks, ascending, the class of each, and the names of the classes."""

    colored: bool
    codes: NDArray[np.int64]
    classes: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Pictures:
    """Reads the image and the mask of an example."""

    pairs: tuple[_Pair, ...]
    form: ImageShape
    legend: _Legend

    def __call__(self, row: int) -> dict[str, Tensor]:
        pair, legend = self.pairs[row], self.legend
        classmap = read_classmap(pair.mask, legend.colored, legend.codes, legend.classes, self.form)
        return {"image": read_image(pair.image, self.form), "classmap": classmap}


def read_segmentation_folder(options: Mapping[str, Value], learnt: tuple[Field, ...] = ()) -> Table:
    """Open images with their masks, by the options of :data:`PARAMS`; see there.

    Args:
        learnt: the fields that a network has learnt with: values in the masks mean its classes.

    Raises:
        DataError: files that cannot be read or do not fit together, or a value that no class is known for.
    """
    root = Path(str(options["path"])).expanduser()
    pairs, notes = _pairs(root, options)
    images, masks = [p.image for p in pairs], [p.mask for p in pairs]
    headers = read_headers(root, images)
    _check_sizes(pairs, headers, read_headers(root, masks))
    form = common_form(images, headers, options)
    known = next((f.classes for f in learnt if f.kind == "classmap"), ())
    legend, found_notes = _legend(root, masks, _names(str(options["classes"])), known)
    map_field = Field("classmap", "classmap", form.shape[1:], "int64", legend.names)
    fields = (Field("image", "image", form.shape), map_field)
    reader = _Pictures(pairs, form, legend)
    notes += found_notes
    table = FileTable(fields, "classmap", len(pairs), reader, fixed=fixed_rows(p.split for p in pairs), notes=notes)
    return table_of(table, root, "pictures and masks read")


def folders_of(place: Path, images: str = "", masks: str = "") -> tuple[Path, Path] | None:
    """The folder of images and the folder of masks in a folder, if both are there."""
    own = {f.name.casefold(): f for f in subfolders(place)}
    found = []
    for given, usual in ((images, IMAGE_FOLDERS), (masks, MASK_FOLDERS)):
        wanted = (given.casefold(),) if given else usual
        found.append(next((own[name] for name in wanted if name in own), None))
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def _pairs(root: Path, options: Mapping[str, Value]) -> tuple[tuple[_Pair, ...], tuple[str, ...]]:
    images, masks = str(options["images"]), str(options["masks"])
    root, parts = split_folders(root)
    pairs: list[_Pair] = []
    lonely: list[Path] = []
    for split, place in parts:
        folders = folders_of(place, images, masks)
        if folders is None:
            wanted = f"{images or 'images'!r} and {masks or 'masks'!r}"
            raise DataError(f"there are no two folders {wanted} in it: name them in the options", file=place)
        matched, without = _matched(*folders)
        lonely += without
        for key, image, mask in matched:
            inner = SPLIT_FOLDERS.get(key.split("/")[0].casefold(), "") if "/" in key else ""
            pairs.append(_Pair(image, mask, split or inner))
    if not lonely:
        return tuple(pairs), ()
    count = "1 image without a mask is" if len(lonely) == 1 else f"{len(lonely):,} images without a mask are"
    return tuple(pairs), (f"{count} left out, such as {lonely[0].name}",)


def _matched(images: Path, masks: Path) -> tuple[list[tuple[str, Path, Path]], list[Path]]:
    """Images with the masks of their names, and images without one. Raises DataError for masks of nothing."""
    own, other = _by_stem(images), _by_stem(masks)
    for key in list(other):
        ending = next((e for e in _ENDINGS if key.casefold().endswith(e) and key[: -len(e)] in own), None)
        if key not in own and ending is not None:
            other[key[: -len(ending)]] = other.pop(key)
    strange = sorted(set(other) - set(own))
    if strange:
        raise DataError(f"there is no image of this mask's name in {images}", file=other[strange[0]])
    if not other:
        raise DataError("there is no mask in this folder", file=masks)
    return [(k, own[k], other[k]) for k in own if k in other], [own[k] for k in own if k not in other]


def _by_stem(folder: Path) -> dict[str, Path]:
    """The images below a folder by their path without the ending."""
    found: dict[str, Path] = {}
    for path in files_below(folder, _SORT)[0]:
        key = path.relative_to(folder).with_suffix("").as_posix()
        if key in found:
            raise DataError(f"{found[key].name} has the same name; keep one of them", file=path)
        found[key] = path
    return found


def _check_sizes(pairs: Iterable[_Pair], images: list[ImageHeader], masks: list[ImageHeader]) -> None:
    for pair, image, mask in zip(pairs, images, masks, strict=True):
        if image[:2] != mask[:2]:
            sizes = f"{mask.height}×{mask.width}, its image {pair.image.name} {image.height}×{image.width}"
            raise DataError(f"the mask has the size {sizes}: they must agree", file=pair.mask)


def _legend(
    root: Path, masks: list[Path], names: tuple[str, ...], learnt: tuple[str, ...]
) -> tuple[_Legend, tuple[str, ...]]:
    """What the masks hold. Raises DataError if the names, or those a network has learnt, do not suit it."""
    colored = any(read_all(root, masks, is_colored, "masks looked at"))
    each = read_all(root, masks, partial(codes_in, colored=colored), "masks looked at")
    codes = sorted({code for own in each for code in own})
    border = not colored and _BORDER in codes and len(codes) > 2
    known = [code for code in codes if not (border and code == _BORDER)]
    classes = _classes(known, colored, names, learnt)
    strange = next((code for code in known if code not in classes), None)
    if strange is not None:
        file = next(path for path, own in zip(masks, each, strict=True) if strange in own)
        noun = "colour" if colored else "value"
        expected = f"classes names {len(names)} for {len(known)}" if names else f"the network knows {', '.join(learnt)}"
        raise DataError(f"the mask has the {noun} {_name(strange, colored)}, but {expected}", file=file)
    usual = ("background", "object") if len(known) == 2 else tuple(_name(c, colored) for c in known)
    mapped = np.array([classes.get(code, VOID) for code in codes], dtype=np.int64)
    note = f"pixels of the value {_BORDER} in the masks belong to no class and are not learnt from"
    legend = _Legend(colored, np.array(codes, dtype=np.int64), mapped, names or learnt or usual)
    return legend, (note,) if border else ()


def _classes(codes: list[int], colored: bool, names: tuple[str, ...], learnt: tuple[str, ...]) -> dict[int, int]:
    """The class of every number or colour that has one."""
    if names and not colored and max(codes) < len(names):
        return {code: code for code in codes}
    if names and len(names) > len(codes):
        return {}  # which of the names is missing cannot be told
    if names or not learnt:
        return dict(zip(codes, range(len(names) or len(codes)), strict=False))
    if learnt == ("background", "object"):
        return {code: int(code != 0) for code in codes if code == 0 or len(codes) <= 2}
    return {code: learnt.index(name) for code in codes if (name := _name(code, colored)) in learnt}


def _name(code: int, colored: bool) -> str:
    return f"#{code:06x}" if colored else str(code)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)
