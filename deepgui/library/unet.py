"""Blocks that go down and up again."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block
from deepgui.library.convolution import conv_relu
from deepgui.library.drawing import Settings, channels, drawn

block = partial(drawn, "U-Net blocks")


@block(
    "DoubleConv",
    "Two convolutions with rectifiers: one level of a U-Net (Ronneberger et al. 2015).",
    out_channels=channels(),
    padding=1,
    batch_norm=False,
)
def double_conv(net: Block) -> None:
    x = net.add("Input", shape=(16, 32, 32))
    said: Settings = {"out_channels": "=out_channels", "padding": "=padding", "batch_norm": "=batch_norm"}
    x = net.add(conv_relu(), x, **said, name="conv1")
    net.add("Output", net.add(conv_relu(), x, **said, name="conv2"))


@block(
    "UNetDown",
    "Halves the picture and doubles its channels: one step down a U-Net (Ronneberger et al. 2015).",
    in_channels=channels(),
    padding=1,
    batch_norm=False,
)
def unet_down(net: Block) -> None:
    x = net.add("Input", shape=(16, 32, 32))
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool")
    x = net.add(
        double_conv(),
        x,
        out_channels="=2 * in_channels",
        padding="=padding",
        batch_norm="=batch_norm",
        name="convs",
    )
    net.add("Output", x)


@block(
    "UNetUp",
    "Doubles the picture, joins what was kept on the way down and halves the channels (Ronneberger et al. 2015).",
    in_channels=channels("below"),
    crop=0,
    padding=1,
    batch_norm=False,
)
def unet_up(net: Block) -> None:
    below = net.add("Input", shape=(32, 16, 16), name="below")
    kept = net.add("Input", shape=(16, 32, 32), name="kept")
    half = "=in_channels // 2"
    x = net.add("ConvTranspose2d", below, out_channels=half, kernel_size=2, stride=2, name="up")
    kept = net.add("pad", kept, pad="=(-crop, -crop, -crop, -crop)", name="cropped", bypass="=crop == 0")
    x = net.add("cat", kept, x, name="together")
    x = net.add(double_conv(), x, out_channels=half, padding="=padding", batch_norm="=batch_norm", name="convs")
    net.add("Output", x)
