"""Blocks of recurrent networks."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block
from deepgui.library.drawing import drawn, features

block = partial(drawn, "Sequence blocks")


@block(
    "GatedRecurrentLayer",
    "A gated recurrent layer with normalisation before and a skip connection around it (Cho et al. 2014).",
    hidden_size=features(),
    dropout=0.1,
)
def gated_recurrent_layer(net: Block) -> None:
    x = net.add("Input", shape=(20, 32))
    y = net.add("LayerNorm", x, name="norm")
    y = net.add("GRU", y, hidden_size="=hidden_size", name="gru")
    y = net.add("Dropout", y["output"], p="=dropout", name="dropout")
    net.add("Output", net.add("add", x, y, name="sum"))


@block(
    "GatedRecurrentStack",
    "Several gated recurrent layers above each other, which a skip connection each keeps trainable.",
    hidden_size=64,
    num_layers=3,
    dropout=0.1,
)
def gated_recurrent_stack(net: Block) -> None:
    x = net.add("Input", shape=(20, 32))
    x = net.add("Linear", x, out_features="=hidden_size", name="inward")
    x = net.add(gated_recurrent_layer(), x, dropout="=dropout", repeat="=num_layers", name="layers")
    net.add("Output", net.add("LayerNorm", x, name="norm"))
