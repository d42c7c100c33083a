"""Time series to forecast."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.data.sources import open_source
from deepgui.project.values import DataConfig


@pytest.fixture
def counting(tmp_path: Path) -> Path:
    """A column that counts from 0 and one that counts tenfold."""
    path = tmp_path / "count.csv"
    path.write_text("day,ten,one\n" + "".join(f"1950-{i:03},{10 * i},{i}\n" for i in range(100)))
    return path


def read(path: Path, validation: float = 0.2, test: float = 0.1, normalize: str = "none", **options) -> Dataset:
    config = DataConfig("series", {"path": str(path), "window": 5, **options}, validation=validation, test=test)
    return prepare(DataConfig(**{**config.__dict__, "normalize": normalize}))


def examples(dataset: Dataset, split: str = "train") -> dict[str, torch.Tensor]:
    part = dataset.splits[split]
    return part.get(torch.arange(len(part)))


def test_what_is_forecast_comes_after_the_window(counting: Path) -> None:
    dataset = read(counting)
    assert dataset.inputs == ("window",)
    for split in dataset.splits:
        got = examples(dataset, split)
        assert got["window"].shape == (len(got["window"]), 5, 1)
        assert torch.equal(got["window"][:, :, 0] + 5, got["window"][:, :1, 0] + torch.arange(5) + 5)
        assert torch.equal(got["future"], got["window"][:, -1] + 1)


def test_each_split_forecasts_steps_of_its_own_in_the_order_of_time(counting: Path) -> None:
    dataset = read(counting)
    forecast = {name: examples(dataset, name)["future"].flatten().tolist() for name in dataset.splits}
    assert forecast["train"] == list(range(5, 70))
    assert forecast["validation"] == list(range(70, 90))
    assert forecast["test"] == list(range(90, 100))


def test_several_steps_further_ahead(counting: Path) -> None:
    dataset = read(counting, horizon=3, ahead=4)
    got = examples(dataset, "test")
    assert torch.equal(got["future"], got["window"][:, -1] + torch.tensor([4.0, 5.0, 6.0]))
    assert got["future"].max() == 99
    assert dataset.target.kind == "vector"
    assert examples(dataset, "train")["future"].max() == 69


def test_columns_and_targets_by_name(counting: Path) -> None:
    dataset = read(counting, columns="ten, one", target="one")
    got = examples(dataset)
    assert dataset.field("window").columns == ("ten", "one")
    assert torch.equal(got["window"][..., 0], 10 * got["window"][..., 1])
    both = examples(read(counting, target="ten,one", horizon=2))
    assert both["future"].shape[1:] == (2, 2)
    assert torch.equal(both["future"][..., 0], 10 * both["future"][..., 1])


def test_differences_are_steps(counting: Path) -> None:
    got = examples(read(counting, difference=True, target="ten"))
    assert got["window"].unique().tolist() == got["future"].unique().tolist() == [10]


def test_the_scale_is_of_the_training_part_and_per_channel(counting: Path) -> None:
    dataset = read(counting, normalize="minmax", columns="one,ten", target="one")
    scale = dataset.normalizer["window"]
    assert (scale.shift, scale.scale) == ((0.0, 0.0), (68.0, 680.0))
    assert examples(dataset)["window"].amax() == 1
    assert examples(dataset, "test")["window"].amax() > 1
    legend = Legend.from_json(Legend(dataset.fields[:1], dataset.target, dataset.normalizer).to_json())
    assert torch.equal(
        legend.normalizer["window"].inverse(examples(dataset)["window"])[0, :, 1] / 10, torch.arange(5.0)
    )


def test_long_windows_of_a_long_series_are_cut_batch_by_batch(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("x\n" + "".join(f"{i}\n" for i in range(40_000)))
    dataset = prepare(DataConfig("series", {"path": str(path), "window": 1000}, normalize="none"))
    assert not dataset.train.fits
    batch = next(Batches(dataset.train, 8, shuffle=True).epoch(0))
    assert torch.equal(batch["window"][:, -1] + 1, batch["future"])


@pytest.fixture
def holes(tmp_path: Path) -> Path:
    path = tmp_path / "holes.csv"
    cells = ["NA" if i in (0, 30, 31) else str(i) for i in range(100)]
    path.write_text("x\n" + "\n".join(cells) + "\n")
    return path


def test_missing_values_are_refused_with_their_rows(holes: Path) -> None:
    with pytest.raises(DataError, match=r"row 2: values are missing in 'x' \(rows 2, 32, 33\): set missing"):
        read(holes)


def test_missing_values_are_carried_on(holes: Path) -> None:
    dataset = read(holes, missing="fill", stride=1)
    series = dataset.train.table.sequences["window"].flatten()
    assert series[:2].tolist() == [1, 1]
    assert series[29:33].tolist() == [29, 29, 29, 32]
    assert dataset.summary()["missing"] == {"x": 3}


def test_windows_with_missing_values_are_left_out(holes: Path) -> None:
    dataset = read(holes, missing="drop")
    got = examples(dataset)
    assert got["window"].isfinite().all()
    assert got["future"].flatten().tolist() == [*range(6, 30), *range(37, 70)]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("x\n" + "1\n" * 6, {}, "the train part has 4 of 6 steps, too few where a window and its forecast take 6"),
        ("day\nmonday\ntuesday\n", {}, "no column of numbers"),
        ("x,y\n1,a\n2,b\n", {"target": "y"}, "row 2: column 'y' holds 'a' where a number belongs: correct it"),
        ("x,y\n1,a\n", {"columns": "z"}, "there is no column 'z'"),
        ("x\n" + "1\nNA\n" * 30, {"missing": "drop"}, "a value is missing in every window: set missing to fill"),
        ("x,y\n" + "1,NA\n" * 30, {"missing": "fill", "target": "y"}, "'y' is empty"),
    ],
)
def test_unusable_series_get_one_sentence(tmp_path: Path, content: str, options: dict, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path, **options)


def test_mackey_and_glass_stay_in_their_range_and_never_repeat() -> None:
    table = open_source(DataConfig("mackey_glass", {"n": 3000}))
    series = table.sequences["window"].flatten()
    assert len(series) == 3000
    assert 0.2 < series.min() < 0.5
    assert 1.2 < series.max() < 1.4
    parts = series.unfold(0, 100, 1)
    distances = (parts[0] - parts[200:]).abs().amax(1)
    assert distances.min() > 1e-3  # chaos: no period
    calm = open_source(DataConfig("mackey_glass", {"tau": 8})).sequences["window"].flatten()
    assert calm[-500:].std() < series.std()


def test_the_step_of_mackey_and_glass_follows_the_equation() -> None:
    """The slope between neighbours is what the equation says for the middle."""
    x = open_source(DataConfig("mackey_glass")).sequences["window"].flatten().double()
    past, now = (x[500:1000] + x[501:1001]) / 2, (x[517:1017] + x[518:1018]) / 2
    slope = 0.2 * past / (1 + past**10) - 0.1 * now
    assert (x[518:1018] - x[517:1017] - slope).abs().max() < 5e-3


def test_a_sine_has_its_period_and_noise() -> None:
    table = open_source(DataConfig("sine", {"period": 20.0, "noise": 0.0}))
    wave = table.sequences["window"].flatten()
    assert torch.allclose(wave[:-20], wave[20:], atol=1e-4)
    noisy, again = (open_source(DataConfig("sine", {"period": 20.0})).sequences["window"].flatten() for _ in range(2))
    assert 0.09 < (noisy - wave).std() < 0.11
    assert torch.equal(noisy, again)
