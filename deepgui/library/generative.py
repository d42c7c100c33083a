"""Blocks of generative adversarial networks and of variational autoencoders."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block
from deepgui.library.drawing import channels, drawn

block = partial(drawn, "Generative blocks")


@block(
    "Reparameterise",
    "Draws a sample so that gradients reach the mean and the spread: the step in the middle of a variational "
    "autoencoder (Kingma and Welling 2013).",
)
def reparameterise(net: Block) -> None:
    mean = net.add("Input", shape=(16,), name="mean")
    log_var = net.add("Input", shape=(16,), name="log_var")
    std = net.add("exp", net.add("mul", log_var, other=0.5, name="half"), name="std")
    noise = net.add("mul", net.add("randn_like", std, name="noise"), std, name="scaled")
    net.add("Output", net.add("add", mean, noise, name="sample"), name="z")


@block(
    "GeneratorStep",
    "Doubles a picture while it narrows its channels: one step of the DCGAN generator (Radford et al. 2015).",
    out_channels=channels(),
    stride=2,
    padding=1,
)
def generator_step(net: Block) -> None:
    x = net.add("Input", shape=(64, 8, 8))
    x = net.add(
        "ConvTranspose2d",
        x,
        out_channels="=out_channels",
        kernel_size=4,
        stride="=stride",
        padding="=padding",
        bias=False,
        name="conv",
    )
    x = net.add("BatchNorm2d", x, name="norm")
    net.add("Output", net.add("ReLU", x, name="relu"))


@block(
    "DiscriminatorStep",
    "Halves a picture by a convolution with stride: one step of the DCGAN discriminator (Radford et al. 2015).",
    out_channels=channels(),
    batch_norm=True,
)
def discriminator_step(net: Block) -> None:
    x = net.add("Input", shape=(64, 8, 8))
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=4, stride=2, padding=1, bias=False, name="conv")
    x = net.add("BatchNorm2d", x, name="norm", bypass="=not batch_norm")
    net.add("Output", net.add("LeakyReLU", x, negative_slope=0.2, name="relu"))


@block(
    "SpectralNormConv",
    "A convolution that cannot stretch what it is given, for discriminators that stay fair (Miyato et al. 2018).",
    out_channels=channels(),
    kernel_size=3,
    stride=1,
    padding=1,
)
def spectral_norm_conv(net: Block) -> None:
    x = net.add("Input", shape=(32, 16, 16))
    x = net.add(
        "SpectralNormConv2d",
        x,
        out_channels="=out_channels",
        kernel_size="=kernel_size",
        stride="=stride",
        padding="=padding",
        name="conv",
    )
    net.add("Output", net.add("LeakyReLU", x, negative_slope=0.1, name="relu"))
