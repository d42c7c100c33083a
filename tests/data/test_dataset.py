"""From a project's data settings to what a training reads."""

from __future__ import annotations

import json
import pickle
import threading

import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.sources import Recent, open_source, source_fields, sources
from deepgui.project.values import DataConfig

EMBEDDED = ["digits", "iris", "wine", "breast_cancer", "diabetes", "moons", "spirals", "circles", "blobs"]


@pytest.mark.parametrize("source", EMBEDDED)
def test_embedded_sources_prepare_as_declared(source) -> None:
    spec = sources()[source]
    for objective in spec.suits:
        dataset = prepare(DataConfig(source), objective)
        assert sum(len(s) for s in dataset.splits.values()) == len(dataset.train.table)
        for split in dataset.splits.values():
            got = split.all()
            for field in dataset.fields:
                assert got[field.name].shape == (len(split), *field.shape)
                assert got[field.name].dtype == getattr(torch, field.dtype)
                assert got[field.name].is_contiguous()
                assert got[field.name].isfinite().all()
        if dataset.target.kind == "label":
            counted = dataset.summary()["splits"]["test"]["classes"]
            assert all(counted.values())
            assert list(counted) == list(dataset.target.classes)
        assert source_fields(DataConfig(source)) == dataset.fields


def test_known_counts() -> None:
    counts = {name: len(open_source(DataConfig(name))) for name in EMBEDDED[:5]}
    assert counts == {"digits": 1797, "iris": 150, "wine": 178, "breast_cancer": 569, "diabetes": 442}
    assert len(open_source(DataConfig("spirals", {"n": 70, "classes": 5})).fields[1].classes) == 5


def test_digits_can_be_flat() -> None:
    dataset = prepare(DataConfig("digits", {"flat": True}, normalize="none"))
    assert dataset.inputs == ("pixels",)
    image = prepare(DataConfig("digits", normalize="none"))
    assert torch.equal(dataset.train.all()["pixels"], image.train.all()["image"].flatten(1))
    assert (image.train.all()["image"].min(), image.train.all()["image"].max()) == (0, 1)


@pytest.mark.parametrize("source", ["moons", "spirals", "circles", "blobs"])
def test_generated_points_follow_their_seed(source) -> None:
    first, again, other = (open_source(DataConfig(source, {"seed": s})).get(torch.arange(50)) for s in (1, 1, 2))
    assert torch.equal(first["point"], again["point"])
    assert not torch.equal(first["point"], other["point"])


def test_normalisation_is_learnt_from_the_training_split_only() -> None:
    dataset = prepare(DataConfig("wine", test=0.4))
    train = dataset.train.all()["features"]
    assert torch.allclose(train.mean(0), torch.zeros(13), atol=1e-5)
    assert torch.allclose(train.std(0, correction=0), torch.ones(13), atol=1e-4)
    assert dataset.test.all()["features"].mean(0).abs().max() > 1e-2


def test_a_regression_target_is_scaled_and_given_back_in_its_units() -> None:
    dataset = prepare(DataConfig("diabetes"), "regression")
    scaled = dataset.test.all()["progression"]
    raw = dataset.test.raw(torch.arange(len(dataset.test)))["progression"]
    assert scaled.abs().max() < 5 < raw.max()
    assert torch.allclose(dataset.normalizer["progression"].inverse(scaled), raw, atol=1e-3)


def test_get_and_all_agree_and_cost_nothing_twice() -> None:
    config = DataConfig("breast_cancer")
    dataset = prepare(config)
    assert prepare(DataConfig("breast_cancer")) is dataset
    assert prepare(DataConfig("breast_cancer", seed=1)) is not dataset
    some = torch.tensor([5, 0, 17])
    assert torch.equal(dataset.train.get(some)["features"], dataset.train.all()["features"][some])
    assert dataset.train.all() is dataset.train.all()


def test_summary_is_json() -> None:
    summary = prepare(DataConfig("wine")).summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["examples"] == 178
    assert summary["splits"]["train"]["examples"] == 124
    assert sum(part["classes"]["class_0"] for part in summary["splits"].values()) == 59
    assert summary["ranges"]["features"]["maximum"] > 1000


def test_the_image_can_be_its_own_target() -> None:
    dataset = prepare(DataConfig("digits", target="image"))
    assert (dataset.target.name, dataset.inputs) == ("image", ("image",))


def test_fields_named_for_inputs_come_first() -> None:
    assert prepare(DataConfig("digits", inputs={"n1": "image"})).inputs == ("image",)
    assert prepare(DataConfig("digits", inputs={"n1": "label"})).inputs == ("label", "image")


@pytest.mark.parametrize(
    ("config", "objective", "says"),
    [
        (DataConfig(), "", "no data is chosen yet"),
        (DataConfig("digit"), "", "did you mean digits"),
        (DataConfig("moons", {"n": "many"}), "", "n must be a whole number"),
        (DataConfig("moons", {"n": 3}), "", "at least 10"),
        (DataConfig("circles", {"factor": 2.0}), "", "factor must be less than 1"),
        (DataConfig("iris", {"path": "x"}), "", "has no option 'path'"),
        (DataConfig("iris"), "regression", "species is a class"),
        (DataConfig("diabetes"), "classification", "progression is no class"),
        (DataConfig("csv", {"path": "x.csv", "target": "a"}, target="b"), "", "keep one of them"),
        (DataConfig("iris", target="colour"), "", "no field 'colour' to learn"),
        (DataConfig("iris", validation=0.6, test=0.5), "", "leave none to train on"),
        (DataConfig("iris", normalize="log"), "", "normalize must be one of none, standard, minmax"),
    ],
)
def test_wrong_settings_get_one_sentence(config, objective, says) -> None:
    with pytest.raises(DataError, match=says):
        prepare(config, objective)


def test_splits_may_be_empty() -> None:
    dataset = prepare(DataConfig("iris", validation=0.0, test=0.0))
    assert [len(s) for s in dataset.splits.values()] == [150, 0, 0]
    assert dataset.test.all()["features"].shape == (0, 4)
    assert dataset.summary()["splits"]["test"]["examples"] == 0


def test_two_threads_share_one_result() -> None:
    found: list[Dataset] = []
    config = DataConfig("moons", {"n": 5000, "seed": 77})
    threads = [threading.Thread(target=lambda: found.append(prepare(config))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(d) for d in found}) == 1


def test_a_failure_is_not_kept() -> None:
    recent, calls = Recent(2), []

    def make() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise DataError("broken")
        return 7

    with pytest.raises(DataError):
        recent.get(("k",), make)
    assert [recent.get(("k",), make) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 2


def test_splits_travel_without_what_can_be_made_again() -> None:
    split = prepare(DataConfig("digits")).train
    split.all()
    again = pickle.loads(pickle.dumps(split))
    assert again._whole == {}
    assert torch.equal(again.get(torch.arange(3))["image"], split.get(torch.arange(3))["image"])


def test_options_are_documented() -> None:
    for spec in sources().values():
        assert spec.title
        assert spec.summary
        assert all(param.doc for param in spec.params)
        assert all(param.required or param.check(param.default) is None for param in spec.params)


def test_a_seed_that_scikit_learn_does_not_take_is_said() -> None:
    with pytest.raises(DataError, match="seed must be less than 4,294,967,296, not 4294967296"):
        prepare(DataConfig("moons", {"seed": 2**32}))
