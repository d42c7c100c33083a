"""Normalisation: learnt from what it is given, reversible, harmless to constants and labels."""

from __future__ import annotations

import json
import pickle

import pytest
import torch

from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.normalize import Normalizer, Scale, fit, measure

VECTOR = Field("features", "vector", (3,))
IMAGE = Field("image", "image", (2, 4, 4))
FIELDS = (VECTOR, IMAGE, number_field("price"), label_field("label", ("a", "b")))


def batch(count: int = 200) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(count, 3, generator=generator) * torch.tensor([1.0, 1000.0, 1e-6]) + torch.tensor([5.0, -7, 0])
    image = torch.rand(count, 2, 4, 4, generator=generator) * torch.tensor([1.0, 0.1]).reshape(2, 1, 1)
    price = torch.rand(count, 1, generator=generator) * 1e6
    return {"features": vector, "image": image, "price": price, "label": torch.arange(count) % 2}


@pytest.mark.parametrize("chunk", [7, 200])
def test_standard_gives_zero_mean_and_unit_deviation_however_the_data_come(chunk) -> None:
    data = batch()
    parts = [{n: v[i : i + chunk] for n, v in data.items()} for i in range(0, 200, chunk)]
    done = fit(measure(FIELDS, parts), "standard").transform(data)
    for values, dims in ((done["features"], 0), (done["image"], (0, 2, 3)), (done["price"], 0)):
        assert torch.allclose(values.mean(dims), torch.tensor(0.0), atol=1e-5)
        assert torch.allclose(values.std(dims, correction=0), torch.tensor(1.0), atol=1e-4)
    assert torch.equal(done["label"], data["label"])


def test_minmax_spans_zero_to_one() -> None:
    done = fit(measure(FIELDS, [batch()]), "minmax").transform(batch())
    for name in ("features", "image", "price"):
        assert done[name].min() == pytest.approx(0, abs=1e-6)
        assert done[name].max() == pytest.approx(1, abs=1e-6)


def test_none_changes_nothing() -> None:
    data = batch()
    done = fit(measure(FIELDS, [data]), "none").transform(data)
    assert all(torch.equal(done[name], data[name]) for name in data)


def test_inverse_gives_the_units_back() -> None:
    data = batch()
    normalizer = fit(measure(FIELDS, [data]), "standard")
    back = normalizer.inverse(normalizer.transform(data))
    assert all(torch.allclose(back[n], data[n], rtol=1e-4, atol=1e-4) for n in data)
    single = normalizer["image"].inverse(normalizer["image"].transform(data["image"][3]))
    assert torch.allclose(single, data["image"][3], atol=1e-5)


@pytest.mark.parametrize("method", ["standard", "minmax"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 3e8])
def test_constant_columns_become_zero_not_infinite(method, constant) -> None:
    data = {"features": torch.full((50, 3), constant)}
    done = fit(measure((VECTOR,), [data]), method).transform(data)["features"]
    assert torch.equal(done, torch.zeros_like(done))


def test_missing_values_become_the_mean_of_the_training_values() -> None:
    training = torch.tensor([[1.0, float("nan"), 2.0], [3.0, 4.0, 2.0]])
    normalizer = fit(measure((VECTOR,), [{"features": training}]), "none")
    other = torch.tensor([[float("nan"), float("nan"), float("nan")]])
    assert normalizer["features"].transform(other).tolist() == [[2.0, 4.0, 2.0]]


def test_state_is_json_and_comes_back() -> None:
    normalizer = fit(measure(FIELDS, [batch()]), "standard")
    again = Normalizer.from_state(json.loads(json.dumps(normalizer.state())))
    assert dict(again) == dict(normalizer)
    assert again.method == "standard"
    assert torch.equal(again.transform(batch())["image"], normalizer.transform(batch())["image"])
    assert pickle.loads(pickle.dumps(normalizer["image"])) == normalizer["image"]
    assert "label" not in normalizer


@pytest.mark.parametrize("state", [{}, {"fields": {"x": {}}, "method": "standard"}, {"fields": [], "method": "none"}])
def test_a_broken_state_is_refused(state) -> None:
    with pytest.raises(DataError):
        Normalizer.from_state(state)


def test_unknown_method_is_refused() -> None:
    with pytest.raises(DataError, match="standard"):
        fit({}, "zscore")


def test_scale_of_one_number() -> None:
    assert Scale("number", (10.0,), (2.0,)).transform(torch.tensor([[14.0]])).item() == 2.0
