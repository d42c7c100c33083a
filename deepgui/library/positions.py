"""Blocks that tell a transformer where it is and what comes first."""

from __future__ import annotations

import math
from functools import partial

from deepgui.builder import Block, Handle
from deepgui.library.drawing import drawn, features

block = partial(drawn, "Position blocks")

LOG_PERIOD = math.log(10_000)
"""The logarithm of the longest wave of positions over the shortest, in all the papers drawn here."""


@block(
    "SinusoidalPositions",
    "Adds waves of many lengths, from which every position can be told: no weights (Vaswani et al. 2017).",
    embed_dim=features(),
)
def sinusoidal_positions(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    place = net.add("unsqueeze", net.add("arange", x, dim=1, name="place"), dim=1, name="column")
    feature = net.add("slice", net.add("arange", x, dim=-1, name="feature"), index="::2", name="even")
    wave = net.add("exp", net.add("mul", feature, other=f"=-{LOG_PERIOD} / embed_dim", name="log_wave"), name="wave")
    angle = net.add("mul", place, wave, name="angle")
    sine, cosine = net.add("sin", angle, name="sine"), net.add("cos", angle, name="cosine")
    table = net.add("flatten", net.add("stack", sine, cosine, dim=2, name="both"), name="table")
    net.add("Output", net.add("add", x, table, name="sum"))


@block(
    "RotaryPositions",
    "Turns queries and keys by an angle that grows with their place, so that only distances count (Su et al. 2021).",
    head_dim=features(),
)
def rotary_positions(net: Block) -> None:
    x = net.add("Input", shape=(4, 16, 32))
    first = net.add("chunk", x, chunks=2, dim=-1, name="halves")
    second = first["output_1"]
    place = net.add("unsqueeze", net.add("arange", x, dim=2, name="place"), dim=1, name="column")
    wave = net.add("arange", first, dim=-1, name="feature")
    wave = net.add("exp", net.add("mul", wave, other=f"=-{2 * LOG_PERIOD} / head_dim", name="log_wave"), name="wave")
    angle = net.add("mul", place, wave, name="angle")
    cosine, sine = net.add("cos", angle, name="cosine"), net.add("sin", angle, name="sine")
    left = net.add("sub", _times(net, first, cosine, 1), _times(net, second, sine, 2), name="left")
    right = net.add("add", _times(net, second, cosine, 3), _times(net, first, sine, 4), name="right")
    net.add("Output", net.add("cat", left, right, dim=-1, name="turned"))


def _times(net: Block, x: Handle, wave: Handle, number: int) -> Handle:
    return net.add("mul", x, wave, name=f"product{number}")


@block(
    "LearnedPositions",
    "Adds a vector of its own to every place of a sequence, learnt like a weight (Gehring et al. 2017).",
    length=features(dim=1),
    embed_dim=features(),
)
def learned_positions(net: Block) -> None:
    x = net.add("Input", shape=(16, 64))
    table = net.add("Parameter", shape="=(1, length, embed_dim)", init="randn", scale=0.02, name="pos_embedding")
    net.add("Output", net.add("add", x, table, name="sum"))


@block(
    "PatchEmbedding",
    "Cuts a picture into squares, makes a word of each, and puts a class token in front (Dosovitskiy et al. 2020).",
    patch_size=16,
    embed_dim=768,
)
def patch_embedding(net: Block) -> None:
    x = net.add("Input", shape=(3, 64, 64))
    x = net.add(
        "Conv2d", x, out_channels="=embed_dim", kernel_size="=patch_size", stride="=patch_size", name="conv_proj"
    )
    x = net.add("flatten", x, start_dim=2, name="row")
    x = net.add("transpose", x, dim0=1, dim1=2, name="words")
    token = net.add("Parameter", shape="=(1, 1, embed_dim)", name="class_token")
    token = net.add("expand_batch", token, x, name="tokens")
    net.add("Output", net.add("cat", token, x, dim=1, name="together"))
