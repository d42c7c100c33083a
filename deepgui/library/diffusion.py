"""Blocks of networks that make pictures from noise."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block
from deepgui.library.attention import heads, joined
from deepgui.library.drawing import channels, drawn
from deepgui.library.positions import LOG_PERIOD

block = partial(drawn, "Diffusion blocks")


@block(
    "TimeEmbedding",
    "Tells a network how much noise there is: waves of the time step and two linear layers (Ho et al. 2020).",
    channels=128,
    embed_dim=512,
)
def time_embedding(net: Block) -> None:
    step = net.add("Input", shape=(1,), name="step")
    step = net.add("reshape", step, shape=(-1, 1), name="column")
    wide = net.add("expand", step, size="=(-1, channels // 2)", name="wide")
    wave = net.add("arange", wide, dim=1, name="place")
    wave = net.add("mul", wave, other=f"=-{LOG_PERIOD} / (channels // 2 - 1)", name="log_wave")
    angle = net.add("mul", wide, net.add("exp", wave, name="wave"), name="angle")
    x = net.add("cat", net.add("sin", angle, name="sine"), net.add("cos", angle, name="cosine"), dim=1, name="waves")
    x = net.add("Linear", x, out_features="=embed_dim", name="linear_1")
    x = net.add("SiLU", x, name="silu")
    net.add("Output", net.add("Linear", x, out_features="=embed_dim", name="linear_2"))


@block(
    "DiffusionResidual",
    "A residual unit that is told the time step between its two convolutions (Ho et al. 2020).",
    in_channels=channels("x"),
    out_channels=channels("x"),
    num_groups=32,
    dropout=0.1,
)
def diffusion_residual(net: Block) -> None:
    x = net.add("Input", shape=(64, 16, 16), name="x")
    time = net.add("Input", shape=(128,), name="time")
    y = net.add("GroupNorm", x, num_groups="=num_groups", eps=1e-6, name="norm1")
    y = net.add("SiLU", y, name="silu1")
    y = net.add("Conv2d", y, out_channels="=out_channels", kernel_size=3, padding=1, name="conv1")
    t = net.add("SiLU", time, name="time_silu")
    t = net.add("Linear", t, out_features="=out_channels", name="time_emb_proj")
    t = net.add("unflatten", t, dim=1, sizes="=(out_channels, 1, 1)", name="everywhere")
    y = net.add("add", y, t, name="timed")
    y = net.add("GroupNorm", y, num_groups="=num_groups", eps=1e-6, name="norm2")
    y = net.add("SiLU", y, name="silu2")
    y = net.add("Dropout", y, p="=dropout", name="dropout")
    y = net.add("Conv2d", y, out_channels="=out_channels", kernel_size=3, padding=1, name="conv2")
    skip = net.add(
        "Conv2d",
        x,
        out_channels="=out_channels",
        kernel_size=1,
        name="conv_shortcut",
        bypass="=in_channels == out_channels",
    )
    net.add("Output", net.add("add", y, skip, name="sum"), name="y")


@block(
    "PixelAttention",
    "Every pixel looks at all others, with a skip connection (Ho et al. 2020).",
    in_channels=channels(),
    num_groups=32,
    num_heads=1,
)
def pixel_attention(net: Block) -> None:
    skip = x = net.add("Input", shape=(64, 8, 8))
    x = net.add("GroupNorm", x, num_groups="=num_groups", eps=1e-6, name="group_norm")
    x = net.add("transpose", net.add("flatten", x, start_dim=2, name="row"), dim0=1, dim1=2, name="pixels")
    query, key, value = (
        heads(net, net.add("Linear", x, out_features="=in_channels", name=f"to_{part}"), part, "in_channels")
        for part in "qkv"
    )
    x = net.add("scaled_dot_product_attention", query, key, value, name="attention")
    x = net.add("Linear", joined(net, x), out_features="=in_channels", name="to_out")
    x = net.add("reshape_as", net.add("transpose", x, dim0=1, dim1=2, name="channels"), skip, name="picture")
    net.add("Output", net.add("add", x, skip, name="sum"))


@block(
    "Downsample",
    "Halves a picture by a convolution that takes every other pixel (Ho et al. 2020).",
    out_channels=channels(),
)
def downsample(net: Block) -> None:
    x = net.add("Input", shape=(64, 16, 16))
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=3, stride=2, padding=1, name="conv")
    net.add("Output", x)


@block("Upsample2x", "Doubles a picture and smooths it by a convolution (Ho et al. 2020).", out_channels=channels())
def upsample(net: Block) -> None:
    x = net.add("Input", shape=(64, 16, 16))
    x = net.add("Upsample", x, scale_factor=2.0, mode="nearest", name="nearest")
    net.add("Output", net.add("Conv2d", x, out_channels="=out_channels", kernel_size=3, padding=1, name="conv"))
