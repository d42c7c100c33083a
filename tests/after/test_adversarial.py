"""Attacks stay within their bounds, do what they say, and cost the network what the table tells."""

from __future__ import annotations

import pytest
import torch

from deepgui import builder
from deepgui.after.adversarial import Attack, misled, table
from deepgui.after.subject import AfterError
from deepgui.project.values import DataConfig


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_no_pixel_moves_further_than_epsilon_or_leaves_the_picture(digits, method):
    found = misled(Attack(digits, method), range(20), 0.1)
    away = (found.attacked - found.clean).abs()
    assert 0.09 < away.max() <= 0.1001
    assert found.attacked.min() >= -1e-5
    assert found.attacked.max() <= 1 + 1e-5
    raw = digits.dataset.test.raw(torch.arange(20))["image"]
    torch.testing.assert_close(found.clean, raw, atol=1e-5, rtol=0)


def test_fgsm_is_one_step_along_the_sign_of_the_gradient(digits):
    found = misled(Attack(digits, "fgsm"), range(5), 0.05)
    scale = digits.dataset.normalizer["image"]
    raw = found.clean.clone().requires_grad_()
    label = digits.dataset.test.get(torch.arange(5))[digits.dataset.target.name]
    torch.nn.functional.cross_entropy(digits.module(scale.transform(raw)), label).backward()
    by_hand = (found.clean + 0.05 * raw.grad.sign()).clamp(0, 1)
    digits.module.zero_grad()
    torch.testing.assert_close(found.attacked, by_hand, atol=1e-5, rtol=0)


def test_the_table_begins_with_the_clean_metrics_and_gets_worse_and_pgd_is_stronger(digits):
    fgsm, pgd = (table(Attack(digits, method), (0.05, 0.2)) for method in ("fgsm", "pgd"))
    assert [row.epsilon for row in fgsm] == [0, 0.05, 0.2]
    assert dict(fgsm[0].metrics) == pytest.approx(dict(digits.metrics()))
    for rows in (fgsm, pgd):
        losses = [row.metrics["loss"] for row in rows]
        assert losses == sorted(losses)
        assert rows[-1].metrics["accuracy"] < 0.5 * rows[0].metrics["accuracy"]
    assert pgd[1].metrics["loss"] > fgsm[1].metrics["loss"]
    assert all(p.grad is None for p in digits.module.parameters())


def test_columns_stay_within_their_own_range_and_classes_are_named(wine):
    found = misled(Attack(wine, "pgd"), range(10), 1000.0)
    (name,) = wine.objective.inputs
    train = wine.dataset.train.raw(torch.arange(len(wine.dataset.train)))[name]
    clean = found.clean
    assert (found.attacked <= torch.maximum(train.amax(0), clean) * (1 + 1e-4) + 1e-4).all()
    assert (found.attacked >= torch.minimum(train.amin(0), clean) * (1 - 1e-4) - 1e-4).all()
    assert set(found.before) | set(found.true) <= set(wine.dataset.target.classes)
    assert found.before != found.after


def test_a_regression_is_attacked_in_the_units_of_its_data(learn):
    net = builder.Network("net")
    net.add("Output", net.add("Linear", net.add("Input", shape=(10,)), out_features=1))
    rows = table(Attack(learn(net, DataConfig("diabetes"), "regression"), "fgsm"), (0.01,))
    assert rows[1].metrics["mae"] > rows[0].metrics["mae"]


def test_what_cannot_be_attacked_is_said(wine, learn):
    with pytest.raises(AfterError, match="no number 4000"):
        misled(Attack(wine, "fgsm"), [4000], 0.1)
    with pytest.raises(AfterError, match="no input 'x'"):
        Attack(wine, "fgsm", input="x")
    net = builder.Network("net")
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=13))
    rebuilt = learn(net, DataConfig("wine"), "reconstruction")
    with pytest.raises(AfterError, match="compared with a target"):
        Attack(rebuilt, "fgsm")
