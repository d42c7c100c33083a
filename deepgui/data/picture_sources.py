"""Sources of pictures with more than one class: maps and boxes."""

from __future__ import annotations

from deepgui.data import boxes_folder, segmentation_folder, shapes
from deepgui.data.source_spec import SourceSpec

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "shapes",
        "Shapes",
        "Generated circles, squares and triangles with masks or boxes.",
        shapes.PARAMS,
        shapes.shapes,
        ("segmentation", "detection"),
    ),
    SourceSpec(
        "segmentation_folder",
        "Images and masks",
        "A folder of images and one of masks.",
        segmentation_folder.PARAMS,
        segmentation_folder.read_segmentation_folder,
        ("segmentation",),
        again=segmentation_folder.read_segmentation_folder,
    ),
    SourceSpec(
        "boxes_folder",
        "Images and boxes",
        "Images with boxes: Pascal VOC, COCO or CSV.",
        boxes_folder.PARAMS,
        boxes_folder.read_boxes_folder,
        ("detection",),
        again=boxes_folder.read_boxes_folder,
    ),
)
