"""What is pruned is zero, what is left is as it was, and the sizes say so."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from deepgui import builder
from deepgui.after import pruning
from deepgui.after.subject import AfterError
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue


def test_the_smallest_weights_of_all_layers_go_together(wine):
    before = copy.deepcopy(wine.module.state_dict())
    after = pruning.pruned(wine.module, 0.5).state_dict()
    weights = torch.cat([before[name].flatten() for name in ("hidden.weight", "head.weight")])
    left = torch.cat([after[name].flatten() for name in ("hidden.weight", "head.weight")])
    assert (left == 0).sum() == len(weights) // 2
    assert weights[left == 0].abs().max() <= weights[left != 0].abs().min()
    assert torch.equal(left[left != 0], weights[left != 0])
    assert after.keys() == before.keys(), "no masks are left"
    assert all(torch.equal(before[n], t) for n, t in wine.module.state_dict().items()), "the original is as it was"


def test_the_weakest_channels_go_with_their_bias_and_the_answer_keeps_all(digits):
    before, after = digits.module.conv, pruning.pruned(digits.module, 0.5, "channels")
    norms = before.weight.abs().sum((1, 2, 3))
    gone = after.conv.weight.abs().sum((1, 2, 3)) == 0
    assert gone.sum() == 4
    assert norms[gone].max() <= norms[~gone].min()
    assert torch.equal(after.conv.bias == 0, gone)
    assert torch.equal(after.head.weight, digits.module.head.weight)


def test_a_table_of_metrics_and_sizes(digits):
    rows = pruning.table(digits, (0.5, 0.98))
    assert [row.share for row in rows] == [0, 0.5, 0.98]
    assert rows[0].metrics == digits.metrics()
    assert rows[0].size.nonzero > rows[1].size.nonzero > rows[2].size.nonzero
    assert rows[0].size.compressed > rows[1].size.compressed > rows[2].size.compressed
    assert rows[0].size.bytes == rows[2].size.bytes == 4 * rows[0].size.parameters
    assert rows[0].metrics["accuracy"] > 0.8 > rows[2].metrics["accuracy"]


def test_recurrent_layers_compute_with_what_is_left():
    net = builder.Network("net")
    net.add("Output", net.add("LSTM", net.add("Input", shape=(5, 3)), hidden_size=4, batch_first=True, name="lstm"))
    module = build(net.project().networks["network"], catalogue(())).eval()
    after, x = pruning.pruned(module, 0.6), torch.randn(2, 5, 3)
    fresh = copy.deepcopy(module)
    fresh.load_state_dict(pruning.weights_of(after))
    torch.testing.assert_close(after(x), fresh(x))
    assert not torch.allclose(after(x), module(x))


def test_transposed_convolutions_lose_output_channels():
    made = pruning.pruned(nn.Sequential(nn.ConvTranspose2d(3, 6, 2), nn.Conv2d(6, 2, 1)), 0.5, "channels")
    assert (made[0](torch.randn(1, 3, 4, 4)).abs().sum((0, 2, 3)) == 0).sum() == 3


def test_shared_weights_stay_shared():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    made = pruning.pruned(module, 0.5)
    assert made[1].weight is made[0].weight
    assert (made[0].weight == 0).sum() == 8


def test_positions_and_tables_are_spared():
    net = builder.Network("net")
    x = net.add(
        "Embedding", net.add("Input", shape=(5,), dtype="int64"), num_embeddings=7, embedding_dim=4, name="table"
    )
    x = net.add("add", x, net.add("Parameter", shape=(5, 4), init="randn", name="positions"))
    net.add("Output", net.add("Linear", x, out_features=3, name="head"))
    module = build(net.project().networks["network"], catalogue(())).eval()
    before, after = module.state_dict(), pruning.pruned(module, 0.9).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head.weight"}


def test_what_has_nothing_to_prune_is_told_so():
    with pytest.raises(AfterError, match="before the one that gives the answer"):
        pruning.pruned(nn.Sequential(nn.Linear(2, 2)), 0.5, "channels")
    with pytest.raises(AfterError, match="no weights"):
        pruning.pruned(nn.Sequential(nn.ReLU()), 0.5)
