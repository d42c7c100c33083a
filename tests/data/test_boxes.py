"""Images with boxes: Pascal VOC, CSV and COCO; sizes, splits, and annotations that cannot be right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepgui.data import table as table_module
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.reading import FileTable
from deepgui.data.recognise import recognise
from deepgui.data.sources import open_source
from deepgui.data.table import Table
from deepgui.project.values import DataConfig

CELL = ("cell", 20, 10, 30, 40)


def picture(path: Path, boxes: tuple = (CELL,), size: tuple[int, int] = (80, 60)) -> None:
    """Black, with every box white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    for _, left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    Image.fromarray(pixels).save(path)


def xml(path: Path, boxes: tuple = (CELL,), size: tuple[int, int] = (80, 60), head: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox>"
        "</object>"
        for name, a, b, c, d in boxes
    )
    measured = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    path.write_text(f"{head}<annotation><filename>{path.stem}.png</filename>{measured}{objects}</annotation>")


def voc(root: Path, count: int = 6, boxes: tuple = (CELL,), lists: bool = False) -> Path:
    for i in range(count):
        picture(root / "JPEGImages" / f"{i}.png", boxes)
        xml(root / "Annotations" / f"{i}.xml", boxes)
    if lists:
        place = root / "ImageSets" / "Main"
        place.mkdir(parents=True)
        (place / "train.txt").write_text("0\n1\n2\n")
        (place / "val.txt").write_text("3\n")
        (place / "trainval.txt").write_text("0\n1\n2\n3\n")
        (place / "test.txt").write_text("4\n")
    return root


def config(path: Path, **options) -> DataConfig:
    return DataConfig("boxes_folder", {"path": str(path), **options}, normalize="none")


def white(image: torch.Tensor) -> list[float]:
    """Centre x, centre y, width and height of what is white, as shares."""
    lit = image[0] > 0.5
    rows, columns = lit.any(1).nonzero().flatten(), lit.any(0).nonzero().flatten()
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    height, width = lit.shape
    return [(left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height]


def one(table: Table, row: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    got = table.get(torch.tensor([row]))
    return got["image"][0], got["boxes"][0]


def test_boxes_of_xml_files_with_the_splits_of_the_lists(tmp_path) -> None:
    table = open_source(config(voc(tmp_path, lists=True)))
    assert [f.kind for f in table.fields] == ["image", "boxes"]
    assert table.fields[1].classes == ("cell",)
    image, boxes = one(table)
    assert boxes.tolist() == [pytest.approx([0, 25 / 80, 25 / 60, 10 / 80, 0.5])]
    assert boxes[0, 1:].tolist() == pytest.approx(white(image))
    assert {k: v.tolist() for k, v in table.fixed.items()} == {"train": [0, 1, 2], "validation": [3], "test": [4]}
    assert table.notes == ("1 image is in no list of ImageSets/Main and left out",)
    assert set(prepare(config(tmp_path)).normalizer) == {"image"}


@pytest.mark.parametrize("size", [(60, 60), (30, 90), (33, 80), (60, 41)])
@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_boxes_stay_on_their_things_when_images_are_resized(tmp_path, size, fit) -> None:
    image, boxes = one(open_source(config(voc(tmp_path), size=size, fit=fit)))
    assert image.shape == (1, *size)
    found = torch.tensor(white(image)) - boxes[0, 1:]
    pixel = torch.tensor([1 / size[1], 1 / size[0], 1 / size[1], 1 / size[0]])
    assert (found.abs() <= 1.1 * pixel).all()


def test_images_have_different_numbers_of_boxes(tmp_path) -> None:
    voc(tmp_path)
    many = (CELL, ("drop", 0, 0, 5, 5), ("cell", 60, 20, 70, 30))
    xml(tmp_path / "Annotations" / "1.xml", many)
    xml(tmp_path / "Annotations" / "2.xml", ())
    table = open_source(config(tmp_path))
    got = table.get(torch.arange(3))["boxes"]
    assert got.shape == (3, 3, 5)
    assert table.fields[1].classes == ("cell", "drop")
    assert got[:, :, 0].tolist() == [[0, -1, -1], [0, 1, 0], [-1, -1, -1]]


def test_boxes_of_no_area_and_beyond_the_edge_are_mended_and_said(tmp_path) -> None:
    voc(tmp_path)
    xml(tmp_path / "Annotations" / "2.xml", (("cell", 7, 7, 7, 7), ("cell", 70, 50, 99, 60)))
    table = open_source(config(tmp_path))
    assert table.notes == (
        "1 box is left out for having no area in the image, such as in 2.xml",
        "1 box is cut at the edge of the image, such as in 2.xml",
    )
    assert one(table, 2)[1].tolist() == [pytest.approx([0, 75 / 80, 55 / 60, 10 / 80, 10 / 60])]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ((("cell", 30, 10, 20, 40),), r"a box of 'cell' ends before it begins \(x from 30 to 20\)"),
        ((("cell", "x", 10, 20, 40),), "x_min of a box of 'cell' is 'x', which is no number"),
        ((("cell", "nan", 10, 20, 40),), "x_min of a box of 'cell' is 'nan', which is no number"),
        ((("", 1, 10, 20, 40),), "an object has no name"),
    ],
)
def test_boxes_that_cannot_be_right_are_named(tmp_path, boxes, message) -> None:
    xml(voc(tmp_path) / "Annotations" / "3.xml", boxes)
    with pytest.raises(DataError, match=r"3\.xml: " + message):
        open_source(config(tmp_path))


def test_entities_are_never_expanded(tmp_path) -> None:
    head = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "/etc/hostname"><!ENTITY c "&b;&b;">]>'
    xml(voc(tmp_path) / "Annotations" / "3.xml", (("&c;", 1, 1, 2, 2),), head=head)
    with pytest.raises(DataError, match=r"3\.xml: the file declares a document type, which is not read for safety"):
        open_source(config(tmp_path))


def test_files_that_do_not_fit_together_are_named(tmp_path) -> None:
    path = voc(tmp_path, lists=True) / "Annotations" / "3.xml"
    whole = path.read_text()
    path.write_text(whole[:60])
    with pytest.raises(DataError, match=r"3\.xml, row 1: this is not whole XML"):
        open_source(config(tmp_path))
    xml(path, size=(60, 80))
    with pytest.raises(DataError, match=r"3\.xml: the boxes are made for an image of 60×80 pixels, but 3\.png has"):
        open_source(config(tmp_path))
    path.write_text(whole)
    (tmp_path / "ImageSets" / "Main" / "test.txt").write_text("4\n3\n")
    with pytest.raises(DataError, match=r"val\.txt, row 1: 3 is in test\.txt as well"):
        open_source(config(tmp_path))
    (tmp_path / "ImageSets" / "Main" / "test.txt").write_text("4\n\n8\n")
    with pytest.raises(DataError, match=r"test\.txt, row 3: there is no XML file for 8"):
        open_source(config(tmp_path))
    (tmp_path / "JPEGImages" / "0.png").unlink()
    with pytest.raises(DataError, match=r"0\.xml: there is no image '0\.png' for it"):
        open_source(config(tmp_path))


def test_a_table_of_boxes_anywhere_above_its_images(tmp_path) -> None:
    for i in range(4):
        picture(tmp_path / "deep" / "down" / f"{i}.png")
    rows = [f"{i}.png,cell,20,30,10,40" for i in range(4)]
    table = tmp_path / "boxes.csv"
    table.write_text("filename,cell_type,xmin,xmax,ymin,ymax\n" + "\n".join(rows) + "\n0.png,drop,1,3,1,3\n")
    assert recognise(table) == "boxes_folder"
    got = open_source(config(table))
    boxes = one(got)[1]
    assert boxes[0, 1:].tolist() == pytest.approx([25 / 80, 25 / 60, 10 / 80, 0.5])
    assert boxes[:, 0].tolist() == [0, 1]
    assert len(open_source(config(tmp_path))) == 4
    for row, message in (
        ("9.png,cell,1,2,1,2", r"row 7: there is no image '9\.png'"),
        ("1.png,cell,1,,1,2", "row 7: x_max of a box of 'cell' is '', which is no number"),
        ("1.png,cell,1", "row 7: 3 cells where the header has 6"),
    ):
        table.write_text("\n".join(["filename,cell_type,xmin,xmax,ymin,ymax", *rows, rows[0], row]))
        with pytest.raises(DataError, match=message):
            open_source(config(table))


def coco(root: Path, split: str, first: int) -> Path:
    for i in range(first, first + 3):
        picture(root / f"{split}2017" / f"{i}.png")
    content = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 80, "height": 60} for i in range(first, first + 3)],
        "annotations": [
            {"image_id": i, "category_id": 7, "bbox": [20, 10, 10, 30], "iscrowd": 0} for i in range(first, first + 3)
        ],
        "categories": [{"id": 9, "name": "never"}, {"id": 7, "name": "cell"}],
    }
    path = root / "annotations" / f"instances_{split}2017.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_coco_with_a_file_for_each_split(tmp_path) -> None:
    coco(tmp_path, "train", 0)
    path = coco(tmp_path, "val", 10)
    assert recognise(tmp_path) == "boxes_folder"
    table = open_source(config(tmp_path))
    assert {k: v.tolist() for k, v in table.fixed.items()} == {"train": [0, 1, 2], "validation": [3, 4, 5]}
    assert table.fields[1].classes == ("cell",)
    image, boxes = one(table)
    assert boxes[0, 1:].tolist() == pytest.approx(white(image))
    picture(tmp_path / "train2017" / "10.png", size=(8, 8))
    assert open_source(config(tmp_path)).fields[0].shape == (1, 60, 80), "of two images the one of the split"
    assert not open_source(config(path)).fixed, "one file alone is split as the project says"
    content = json.loads(path.read_text())
    content["annotations"][1]["category_id"] = 3
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"instances_val2017\.json: annotation 1 has the unknown category 3"):
        open_source(config(tmp_path))
    path.write_text("[1, 2]")
    with pytest.raises(DataError, match="not COCO's JSON"):
        open_source(config(tmp_path))
    path.write_text("{")
    with pytest.raises(DataError, match="this is not JSON"):
        open_source(config(tmp_path))


def test_images_that_do_not_fit_in_memory_stay_in_their_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    table = open_source(config(voc(tmp_path)))
    assert isinstance(table, FileTable)
    image, boxes = one(table, 3)
    assert boxes[0, 1:].tolist() == pytest.approx(white(image))


def test_folders_without_boxes_get_one_sentence(tmp_path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"no boxes in it as XML \(Pascal VOC\), JSON \(COCO\) or CSV"):
        open_source(config(tmp_path))
    xml(tmp_path / "a.xml", ())
    with pytest.raises(DataError, match="no box in any of the images"):
        open_source(config(tmp_path))


def test_other_images_come_with_the_classes_and_room_that_were_learnt(tmp_path) -> None:
    drop, speck = ("drop", 0, 0, 5, 5), ("cell", 0, 0, 2, 2)
    dataset = prepare(config(voc(tmp_path / "a", boxes=(CELL, drop))))
    known = dataset.legend([dataset.field("image")])
    fewer = prepare(config(voc(tmp_path / "b", boxes=(drop,))), known=known)
    assert fewer.train.raw(torch.tensor([0]))["boxes"][0, :, 0].tolist() == [1, -1]
    more = prepare(config(voc(tmp_path / "c", boxes=(speck, drop, CELL))), known=known)
    assert more.train.raw(torch.tensor([0]))["boxes"][0, :, 0].tolist() == [0, 1]
    assert "6 of the smallest boxes left out: the network learnt with 2 an image" in more.notes
    with pytest.raises(DataError, match=r"0\.xml: the network does not know the class 'star': it knows cell, drop"):
        prepare(config(voc(tmp_path / "d", boxes=(("star", 0, 0, 5, 5),))), known=known)


def test_folders_of_xml_files_are_recognised(tmp_path) -> None:
    assert recognise(voc(tmp_path / "set" / "VOC").parent) == "boxes_folder"
