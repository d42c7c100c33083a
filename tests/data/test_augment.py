"""Random changes of examples: nothing at zero, the same for the same seed, and classes and boxes moved along."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deepgui.data.augment import SETTINGS, Augmentation
from deepgui.data.errors import DataError
from deepgui.data.mask_files import VOID
from deepgui.data.normalize import Scale

STRENGTHS = {
    "flip": 0.5,
    "crop": 2,
    "rotation": 15.0,
    "zoom": 0.2,
    "shift": 0.1,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.5,
    "noise": 0.1,
    "erase": 0.5,
    "time_mask": 0.3,
    "frequency_mask": 0.3,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 64, channels: int = 3, height: int = 12, width: int = 16) -> Tensor:
    return torch.rand(count, channels, height, width, generator=seeded(7))


def white_square(count: int = 32, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    """An image with one white square in the middle, the map of its pixels and its box."""
    shown = torch.zeros(count, 1, size, size)
    shown[:, :, 10:22, 8:20] = 1
    boxes = torch.tensor([[1, 14 / size, 16 / size, 12 / size, 12 / size], [-1, 0, 0, 0, 0]]).expand(count, 2, 5)
    return shown, (shown[:, 0] > 0).long(), boxes


def test_every_setting_is_tried_here() -> None:
    assert set(STRENGTHS) == {p.name for p in SETTINGS}


def test_zero_strength_changes_nothing() -> None:
    before, generator = images(), seeded()
    augmentation = Augmentation({p.name: 0 for p in SETTINGS})
    assert augmentation.is_identity
    assert torch.equal(augmentation(before, generator), before)
    assert torch.equal(generator.get_state(), seeded().get_state()), "a training without it draws the same numbers"


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_setting_changes_examples_differently_and_repeatably(name) -> None:
    before = images()
    kept = before.clone()
    augmentation = Augmentation({name: STRENGTHS[name]})
    after = augmentation(before, seeded())
    assert torch.equal(before, kept), "what came in is not written to"
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert 0 <= after.min() <= after.max() <= 1
    assert torch.equal(after, augmentation(before, seeded()))
    assert not torch.equal(after, augmentation(before, seeded(1)))
    same = augmentation(before[:1].expand(64, -1, -1, -1), seeded())
    assert len(same.flatten(1).unique(dim=0)) > 1, "each example has chances of its own"


def test_all_together_keep_shape_and_range() -> None:
    for channels in (1, 3):
        after = Augmentation(STRENGTHS)(images(channels=channels), seeded())
        assert after.shape == (64, channels, 12, 16)
        assert after.isfinite().all()
        assert 0 <= after.min() <= after.max() <= 1


def test_half_of_the_images_are_mirrored_and_the_others_untouched() -> None:
    before = images(200)
    after = Augmentation({"flip": 0.5})(before, seeded())
    mirrored = (after == before.flip(-1)).flatten(1).all(1)
    assert ((after == before).flatten(1).all(1) ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_cropped_images_are_moved_by_whole_pixels_and_black_comes_in() -> None:
    before = images(100) + 0.01
    after = Augmentation({"crop": 2})(before, seeded())
    padded = torch.nn.functional.pad(before, (2, 2, 2, 2))
    cut = [padded[:, :, y : y + 12, x : x + 16] for y in range(5) for x in range(5)]
    hits = torch.stack([(after == one).flatten(1).all(1) for one in cut])
    assert hits.sum(0).tolist() == [1] * 100
    assert hits.any(1).sum() > 15, "nearly all of the 25 places occur"


def test_a_turned_image_is_turned_by_what_was_drawn() -> None:
    before = torch.zeros(200, 1, 33, 33)
    before[:, :, 16, 26:31] = 1  # a hand that points to the right
    after = Augmentation({"rotation": 90.0})(before, seeded())[:, 0]
    places = torch.arange(33) - 16.0
    mass = after.sum((1, 2))
    x, y = (after.sum(1) * places).sum(1) / mass, (after.sum(2) * places).sum(1) / mass
    assert torch.allclose(torch.hypot(x, y), torch.tensor(12.0), atol=0.3), "turned about the middle, not stretched"
    angles = torch.atan2(y, x).rad2deg()
    assert -91 < angles.min() < -80
    assert 80 < angles.max() < 91


def test_changes_are_made_in_the_units_of_the_data() -> None:
    raw, scale = images(), Scale("image", (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    augmentation, plain = Augmentation(STRENGTHS, scale), Augmentation(STRENGTHS)
    after = scale.inverse(augmentation(scale.transform(raw), seeded()))
    torch.testing.assert_close(after, plain(raw, seeded()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["flip", "crop", "rotation", "zoom", "shift"])
def test_the_class_of_a_pixel_moves_with_it(name) -> None:
    shown, maps, _ = white_square()
    strength = {**STRENGTHS, "crop": 12}[name]
    moved = Augmentation({name: strength}).apply(shown + 0.25, seeded(), maps)
    assert set(moved.maps.unique().tolist()) <= {0, 1, VOID}
    sure = {1: moved.images[:, 0] > 1.2, 0: (moved.images[:, 0] - 0.25).abs() < 0.01, VOID: moved.images[:, 0] == 0}
    for value, places in sure.items():
        assert (moved.maps[places] == value).all()
    assert sum(int(places.sum()) for places in sure.values()) > 0.8 * maps.numel(), "most pixels are sure"


@pytest.mark.parametrize("name", ["flip", "crop", "zoom", "shift"])
def test_a_box_moves_with_its_thing(name) -> None:
    shown, _, boxes = white_square()
    moved = Augmentation({name: {**STRENGTHS, "crop": 5}[name]}).apply(shown, seeded(), boxes=boxes)
    assert (moved.boxes[:, 1] == torch.tensor([-1.0, 0, 0, 0, 0])).all()
    assert (moved.boxes[:, 0, 0] == 1).all()
    for image, (_, x, y, width, height) in zip(moved.images[:, 0], moved.boxes[:, 0].tolist(), strict=True):
        rows, columns = (image > 0.5).any(1).nonzero().flatten(), (image > 0.5).any(0).nonzero().flatten()
        found = [columns[0], columns[-1] + 1, rows[0], rows[-1] + 1]
        wanted = [x - width / 2, x + width / 2, y - height / 2, y + height / 2]
        assert (torch.tensor(found) - 32 * torch.tensor(wanted)).abs().max() <= 1


def test_a_box_that_has_left_the_image_is_none() -> None:
    shown, maps, boxes = white_square(200)
    moved = Augmentation({"crop": 40}).apply(shown, seeded(), maps, boxes)
    gone = moved.boxes[:, 0, 0] == -1
    assert 0 < gone.sum() < 200
    left = (moved.maps == 1).sum((1, 2)) / 144
    assert (left[gone] < 0.25).all()
    assert (left[~gone] >= 0.25).all()
    assert moved.boxes[~gone][:, 0, 1:].min() >= 0


def test_masks_blot_out_bands_and_moments_of_a_spectrogram() -> None:
    before = images(channels=1)
    after = Augmentation({"time_mask": 0.5, "frequency_mask": 0.5})(before, seeded())
    changed = after[:, 0] != before[:, 0]
    rows, columns = changed.all(2), changed.all(1)
    assert torch.equal(changed, rows[:, :, None] | columns[:, None, :])
    for span, size in ((rows, 12), (columns, 16)):
        lengths = span.sum(1)
        assert 0 < lengths.max() <= size / 2
        assert (span.int().diff(dim=1).abs().sum(1) <= 2).all(), "in one piece"


def test_a_stretch_of_a_series_is_blotted_out_with_its_mean() -> None:
    before = torch.rand(20, 50, 2, generator=seeded())
    after = Augmentation({"time_mask": 0.4, "flip": 1.0})(before, seeded())
    changed = (after != before).all(2)
    assert 0 < changed.sum(1).max() <= 20
    means = before.mean(1, keepdim=True).expand_as(before)
    assert torch.equal(after[changed], means[changed])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flop": 1}, "no augmentation 'flop'; there are flip, crop"),
        ({"flip": 1.5}, "flip must be at most 1, not 1.5"),
        ({"rotation": -3.0}, "rotation must be at least 0"),
        ({"crop": 0.5}, "crop must be a whole number"),
    ],
)
def test_settings_that_do_not_exist_or_are_out_of_range(settings, message) -> None:
    with pytest.raises(DataError, match=message):
        Augmentation(settings)
