"""Boxes as Pascal VOC writes them: an XML file for each image, and lists of the images of each split."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from deepgui.data.box_annotations import Annotated, Annotations, Box, ImageIndex, box, split_of
from deepgui.data.class_folders import SPLIT_FOLDERS
from deepgui.data.errors import DataError
from deepgui.data.reading import read_all

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def has_xml(root: Path) -> bool:
    """Whether there are XML files in a folder, its folders, or theirs."""
    return any(next(root.glob(pattern), None) is not None for pattern in ("*.xml", "*/*.xml", "*/*/*.xml"))


def read_voc(root: Path) -> Annotations:
    """All boxes below a folder: ``Annotations/*.xml``, images of their names, ``ImageSets/Main/{train,val,test}.txt``.

    Raises:
        DataError: an XML file that cannot be read or whose image is missing, or contradictory lists.
    """
    files = sorted(path for path in root.rglob("*.xml") if not path.name.startswith("."))
    if not files:
        raise DataError("there is no XML file with boxes in this folder", file=root)
    index = ImageIndex(root)
    listed = _lists(root)
    found = read_all(root, files, lambda path: _annotated(path, index, root), "annotations read")
    _check_lists(listed, files)
    if not listed:
        return Annotations(tuple(found))
    splits = {stem: split for stem, (split, _, _) in listed.items()}
    items = tuple(
        Annotated(item.image, item.boxes, splits[item.file.stem], item.file, size=item.size)
        for item in found
        if item.file.stem in splits
    )
    others = len(found) - len(items)
    if not others:
        return Annotations(items)
    count = "1 image is" if others == 1 else f"{others:,} images are"
    return Annotations(items, notes=(f"{count} in no list of ImageSets/Main and left out",))


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses what entities are declared in: they could grow without bound or name other files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise DataError("the file declares a document type, which is not read for safety: remove its <!DOCTYPE>")


def _annotated(path: Path, index: ImageIndex, root: Path) -> Annotated:
    try:
        tree = ElementTree.parse(path, ElementTree.XMLParser(target=_NoDoctype())).getroot()
    except DataError as error:
        raise DataError(str(error), file=path) from None
    except ElementTree.ParseError as error:
        raise DataError(f"this is not whole XML ({error})", file=path, row=error.position[0]) from None
    except (OSError, ValueError, LookupError) as error:  # unreadable, or an encoding that is unknown
        raise DataError(f"the file cannot be read ({error})", file=path) from None
    name = (tree.findtext("filename") or "").strip()
    image = index.find(path.stem, path) or (index.find(name, path) if name else None)
    if image is None:
        raise DataError(f"there is no image {name or path.stem!r} for it below {root}", file=path)
    boxes = tuple(_box(item, path) for item in tree.iter("object"))
    return Annotated(image, boxes, split_of(path, root), path, size=_size(tree))


def _box(item: ElementTree.Element, path: Path) -> Box:
    name = (item.findtext("name") or "").strip()
    place = item.find("bndbox")
    if not name or place is None:
        raise DataError(f"an object has no {'name' if not name else 'bndbox'}", file=path)
    return box(name, [place.findtext(side) for side in _SIDES], path)


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    """Width and height as written; some programs write zeros where they did not know."""
    texts = (tree.findtext("size/width") or "", tree.findtext("size/height") or "")
    width, height = (int(text) if text.strip().isdecimal() else 0 for text in texts)
    return (width, height) if width and height else None


def _lists(root: Path) -> dict[str, tuple[str, Path, int]]:
    """Image name → split, and where that is written."""
    found: dict[str, tuple[str, Path, int]] = {}
    for path in sorted(root.rglob("ImageSets/Main/*.txt")):
        split = SPLIT_FOLDERS.get(path.stem.casefold())
        if split is None:
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise DataError(f"the list cannot be read ({error})", file=path) from None
        for number, line in enumerate(lines, 1):
            stem = line.split()[0] if line.split() else ""
            if not stem:
                continue
            before = found.setdefault(stem, (split, path, number))
            if before[0] != split:
                raise DataError(f"{stem} is in {before[1].name} as well: keep it in one list", file=path, row=number)
    return found


def _check_lists(listed: dict[str, tuple[str, Path, int]], files: list[Path]) -> None:
    there = {path.stem for path in files}
    for stem, (_, path, row) in listed.items():
        if stem not in there:
            raise DataError(f"there is no XML file for {stem}", file=path, row=row)
