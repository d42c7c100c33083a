"""Attributions against their axioms and against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from deepgui import builder
from deepgui.after import attributions, heat
from deepgui.after.subject import AfterError
from deepgui.project.values import DataConfig


def first_of(module):
    return lambda arguments: module(*arguments)[:, 0]


def test_integrated_gradients_sum_to_what_the_score_rose_by(digits):
    found = attributions.explain(digits, range(6), "integrated")
    assert found.attributions.shape == (6, 1, 8, 8)
    x = digits.dataset.test.get(torch.arange(6))["image"]
    scale = digits.dataset.normalizer["image"]
    black = scale.transform(torch.zeros_like(x))
    with torch.no_grad():
        rise = (digits.module(x) - digits.module(black)).gather(1, found.answers[:, None])[:, 0]
    torch.testing.assert_close(found.attributions.flatten(1).sum(1), rise, atol=0.02, rtol=0.02)
    assert found.gap == pytest.approx(float((found.attributions.flatten(1).sum(1) - rise).abs().max()), abs=1e-4)
    torch.testing.assert_close(found.values, scale.inverse(x))


def test_integrated_gradients_of_a_polynomial_are_exact():
    x = torch.tensor([[1.0, 2.0, 3.0]])

    def score(arguments):
        (v,) = arguments
        return v[:, 0] * v[:, 1] + v[:, 2] ** 3

    found, gap = attributions.integrated_gradients(score, [x], 0, torch.zeros(1, 3), steps=4)
    torch.testing.assert_close(found, torch.tensor([[1.0, 1.0, 27.0]]))  # the product is shared in halves
    assert gap < 1e-4


def test_what_the_answer_does_not_depend_on_gets_nothing():
    layer = nn.Linear(3, 2)
    layer.weight.data[:, 1] = 0
    x = torch.randn(4, 3)
    for found in (
        attributions.saliency(first_of(layer), [x], 0),
        attributions.integrated_gradients(first_of(layer), [x], 0, torch.zeros(1, 3))[0],
    ):
        assert (found[:, 1] == 0).all()
        assert (found[:, 0] != 0).all()


def test_saliency_of_a_linear_layer_is_the_size_of_its_weights():
    layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    found = attributions.saliency(first_of(layer), [x], 0)
    torch.testing.assert_close(found, layer.weight[0].abs().detach().expand(4, 3))


def test_grad_cam_before_a_mean_over_the_picture_is_the_class_activation_map():
    conv, head = nn.Conv2d(1, 5, 3, padding=1), nn.Linear(5, 2)
    module = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    x = torch.randn(2, 1, 6, 6)
    found = attributions.grad_cam(first_of(module), [x], 0, conv)
    by_hand = (head.weight[0][:, None, None] / 36 * conv(x)).sum(1).relu()
    torch.testing.assert_close(found, by_hand.detach())


def test_a_class_can_be_chosen_and_the_network_is_left_as_it_was(digits):
    likeliest = attributions.explain(digits, [0, 1], "grad-cam")
    other = attributions.explain(digits, [0, 1], "grad-cam", answer=3)
    assert likeliest.attributions.shape == (2, 8, 8), "spread over the picture"
    assert other.names == ("3", "3")
    assert not torch.equal(likeliest.attributions, other.attributions)
    assert not digits.module.conv._forward_hooks
    assert all(p.grad is None for p in digits.module.parameters())


def test_numbers_are_explained_too(learn):
    net = builder.Network("net")
    net.add("Output", net.add("Linear", net.add("Input", shape=(10,)), out_features=1, name="only"))
    subject = learn(net, DataConfig("diabetes"), "regression")
    found = attributions.explain(subject, range(3), "integrated")
    x = subject.dataset.test.get(torch.arange(3))[subject.objective.inputs[0]]
    torch.testing.assert_close(found.attributions, x * subject.module.only.weight.detach(), atol=1e-4, rtol=1e-4)
    assert len(set(found.names)) == 1


def test_what_cannot_be_explained_is_said(wine, digits, learn):
    with pytest.raises(AfterError, match="has none"):
        attributions.explain(wine, [0], "grad-cam")
    with pytest.raises(AfterError, match="no convolution 'con', only conv"):
        attributions.explain(digits, [0], "grad-cam", layer="con")
    with pytest.raises(AfterError, match="no number 99999"):
        attributions.explain(wine, [99999], "saliency")
    with pytest.raises(AfterError, match="no answer 3"):
        attributions.explain(wine, [0], "saliency", answer=3)
    net = builder.Network("net")
    x = net.add("Embedding", net.add("Input", shape=(8,), dtype="int64"), num_embeddings=128, embedding_dim=4)
    net.add("Output", net.add("Linear", x, out_features=128))
    text = learn(net, DataConfig("python_text", {"context": 8, "stride": 2000}), "next_token")
    with pytest.raises(AfterError, match="measured values"):
        attributions.explain(text, [0], "saliency")


def test_heat_is_red_for_and_blue_against_and_the_picture_shows_where_there_is_none(tmp_path):
    picture = torch.ones(1, 2, 2)
    hot = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    path = heat.write(heat.heat_map(picture, hot), tmp_path / "new" / "heat.png")
    pixels = np.asarray(heat.Image.open(path)).astype(int)
    assert pixels.shape[0] >= 224
    (red, blue), (grey, _) = pixels[0, [0, -1]], pixels[-1, [0, -1]]
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]
    assert len(set(grey.tolist())) == 1
    assert grey[0] > 100
