"""Blocks of convolutional networks, as their papers draw them."""

from __future__ import annotations

from functools import partial

from deepgui.builder import Block
from deepgui.library.drawing import Settings, channels, drawn

block = partial(drawn, "Convolution blocks")


@block(
    "ConvReLU",
    "A convolution and a rectifier, with batch normalisation between them if wanted.",
    out_channels=channels(),
    kernel_size=3,
    stride=1,
    padding=1,
    batch_norm=False,
)
def conv_relu(net: Block) -> None:
    x = net.add("Input", shape=(16, 32, 32))
    x = net.add(
        "Conv2d",
        x,
        out_channels="=out_channels",
        kernel_size="=kernel_size",
        stride="=stride",
        padding="=padding",
        bias="=not batch_norm",
        name="conv",
    )
    x = net.add("BatchNorm2d", x, name="norm", bypass="=not batch_norm")
    net.add("Output", net.add("ReLU", x, name="relu"))


@block(
    "Projection",
    "A 1×1 convolution on a skip connection, where the sizes of both ends differ (He et al. 2015).",
    out_channels=channels(),
    stride=1,
)
def projection(net: Block) -> None:
    x = net.add("Input", shape=(64, 32, 32))
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=1, stride="=stride", bias=False, name="conv")
    net.add("Output", net.add("BatchNorm2d", x, name="bn"))


@block(
    "ResidualBasic",
    "Two 3×3 convolutions and a skip connection: the unit of ResNet-18 and ResNet-34 (He et al. 2015).",
    in_channels=channels(),
    out_channels=channels(),
    stride=1,
)
def residual_basic(net: Block) -> None:
    skip = x = net.add("Input", shape=(64, 32, 32))
    x = net.add(
        "Conv2d",
        x,
        out_channels="=out_channels",
        kernel_size=3,
        stride="=stride",
        padding=1,
        bias=False,
        name="conv1",
    )
    x = net.add("BatchNorm2d", x, name="bn1")
    x = net.add("ReLU", x, name="relu1")
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=3, padding=1, bias=False, name="conv2")
    x = net.add("BatchNorm2d", x, name="bn2")
    same = "=stride == 1 and in_channels == out_channels"
    skip = net.add(projection(), skip, out_channels="=out_channels", stride="=stride", name="downsample", bypass=same)
    net.add("Output", net.add("ReLU", net.add("add", x, skip, name="sum"), name="relu2"))


@block(
    "Bottleneck",
    "Squeeze, convolve and widen, with a skip connection: the unit of ResNet-50 and deeper (He et al. 2015).",
    in_channels=channels(),
    width=64,
    stride=1,
    expansion=4,
)
def bottleneck(net: Block) -> None:
    skip = x = net.add("Input", shape=(256, 16, 16))
    x = net.add("Conv2d", x, out_channels="=width", kernel_size=1, bias=False, name="conv1")
    x = net.add("BatchNorm2d", x, name="bn1")
    x = net.add("ReLU", x, name="relu1")
    x = net.add(
        "Conv2d", x, out_channels="=width", kernel_size=3, stride="=stride", padding=1, bias=False, name="conv2"
    )
    x = net.add("BatchNorm2d", x, name="bn2")
    x = net.add("ReLU", x, name="relu2")
    x = net.add("Conv2d", x, out_channels="=expansion * width", kernel_size=1, bias=False, name="conv3")
    x = net.add("BatchNorm2d", x, name="bn3")
    same = "=stride == 1 and in_channels == expansion * width"
    skip = net.add(
        projection(), skip, out_channels="=expansion * width", stride="=stride", name="downsample", bypass=same
    )
    net.add("Output", net.add("ReLU", net.add("add", x, skip, name="sum"), name="relu3"))


@block(
    "PreActivation",
    "A residual unit that normalises first, so that the skip connection stays clean (He et al. 2016).",
    in_channels=channels(),
    out_channels=channels(),
    stride=1,
)
def pre_activation(net: Block) -> None:
    skip = x = net.add("Input", shape=(64, 32, 32))
    x = net.add("BatchNorm2d", x, name="bn1")
    x = net.add("ReLU", x, name="relu1")
    x = net.add(
        "Conv2d",
        x,
        out_channels="=out_channels",
        kernel_size=3,
        stride="=stride",
        padding=1,
        bias=False,
        name="conv1",
    )
    x = net.add("BatchNorm2d", x, name="bn2")
    x = net.add("ReLU", x, name="relu2")
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=3, padding=1, bias=False, name="conv2")
    skip = net.add(
        "Conv2d",
        skip,
        out_channels="=out_channels",
        kernel_size=1,
        stride="=stride",
        bias=False,
        name="shortcut",
        bypass="=stride == 1 and in_channels == out_channels",
    )
    net.add("Output", net.add("add", x, skip, name="sum"))


@block(
    "ConvNormReLU6",
    "A convolution without bias, batch normalisation and a rectifier that ends at 6 (Howard et al. 2017).",
    out_channels=channels(),
    kernel_size=3,
    stride=1,
    groups=1,
)
def conv_norm_relu6(net: Block) -> None:
    x = net.add("Input", shape=(32, 32, 32))
    x = net.add(
        "Conv2d",
        x,
        out_channels="=out_channels",
        kernel_size="=kernel_size",
        stride="=stride",
        padding="=kernel_size // 2",
        groups="=groups",
        bias=False,
        name="conv",
    )
    x = net.add("BatchNorm2d", x, name="norm")
    net.add("Output", net.add("ReLU6", x, name="relu6"))


@block(
    "InvertedResidual",
    "Widen, convolve each channel by itself, and narrow again without a rectifier: MobileNetV2 (Sandler et al. 2018).",
    in_channels=channels(),
    out_channels=channels(),
    stride=1,
    expand_ratio=6,
)
def inverted_residual(net: Block) -> None:
    skip = x = net.add("Input", shape=(24, 32, 32))
    hidden = "=expand_ratio * in_channels"
    x = net.add(conv_norm_relu6(), x, out_channels=hidden, kernel_size=1, name="expand", bypass="=expand_ratio == 1")
    x = net.add(conv_norm_relu6(), x, out_channels=hidden, stride="=stride", groups=hidden, name="depthwise")
    x = net.add("Conv2d", x, out_channels="=out_channels", kernel_size=1, bias=False, name="project")
    x = net.add("BatchNorm2d", x, name="norm")
    x = net.add("add", x, skip, name="sum", bypass="=not (stride == 1 and in_channels == out_channels)")
    net.add("Output", x)


@block(
    "DepthwiseSeparable",
    "Each channel convolved by itself, then all mixed point by point: MobileNet (Howard et al. 2017).",
    in_channels=channels(),
    out_channels=channels(),
    stride=1,
)
def depthwise_separable(net: Block) -> None:
    x = net.add("Input", shape=(32, 32, 32))
    x = net.add(
        conv_norm_relu6(), x, out_channels="=in_channels", stride="=stride", groups="=in_channels", name="depthwise"
    )
    x = net.add(conv_norm_relu6(), x, out_channels="=out_channels", kernel_size=1, name="pointwise")
    net.add("Output", x)


@block(
    "SqueezeExcite",
    "Weighs each channel by what all of them say together (Hu et al. 2017).",
    in_channels=channels(),
    reduction=16,
)
def squeeze_excite(net: Block) -> None:
    x = net.add("Input", shape=(64, 32, 32))
    y = net.add("AdaptiveAvgPool2d", x, output_size=1, name="avgpool")
    y = net.add("Conv2d", y, out_channels="=max(1, in_channels // reduction)", kernel_size=1, name="fc1")
    y = net.add("ReLU", y, name="relu")
    y = net.add("Conv2d", y, out_channels="=in_channels", kernel_size=1, name="fc2")
    y = net.add("Sigmoid", y, name="scale")
    net.add("Output", net.add("mul", x, y, name="product"))


@block(
    "DenseLayer",
    "Adds a few channels to all that came before; repeated, it is a dense block of DenseNet (Huang et al. 2016).",
    growth_rate=32,
    bn_size=4,
)
def dense_layer(net: Block) -> None:
    before = x = net.add("Input", shape=(64, 16, 16))
    x = net.add("BatchNorm2d", x, name="norm1")
    x = net.add("ReLU", x, name="relu1")
    x = net.add("Conv2d", x, out_channels="=bn_size * growth_rate", kernel_size=1, bias=False, name="conv1")
    x = net.add("BatchNorm2d", x, name="norm2")
    x = net.add("ReLU", x, name="relu2")
    x = net.add("Conv2d", x, out_channels="=growth_rate", kernel_size=3, padding=1, bias=False, name="conv2")
    net.add("Output", net.add("cat", before, x, name="together"))


@block(
    "DenseTransition",
    "Halves channels and size between two dense blocks (Huang et al. 2016).",
    in_channels=channels(),
)
def dense_transition(net: Block) -> None:
    x = net.add("Input", shape=(64, 16, 16))
    x = net.add("BatchNorm2d", x, name="norm")
    x = net.add("ReLU", x, name="relu")
    x = net.add("Conv2d", x, out_channels="=in_channels // 2", kernel_size=1, bias=False, name="conv")
    net.add("Output", net.add("AvgPool2d", x, kernel_size=2, stride=2, name="pool"))


@block(
    "Inception",
    "Four views of different width side by side: GoogLeNet (Szegedy et al. 2014).",
    ch1x1=64,
    ch3x3red=96,
    ch3x3=128,
    ch5x5red=16,
    ch5x5=32,
    pool_proj=32,
    batch_norm=False,
)
def inception(net: Block) -> None:
    x = net.add("Input", shape=(192, 16, 16))
    point: Settings = {"kernel_size": 1, "padding": 0, "batch_norm": "=batch_norm"}
    one = net.add(conv_relu(), x, out_channels="=ch1x1", **point, name="branch1")
    three = net.add(conv_relu(), x, out_channels="=ch3x3red", **point, name="branch2_reduce")
    three = net.add(conv_relu(), three, out_channels="=ch3x3", batch_norm="=batch_norm", name="branch2")
    five = net.add(conv_relu(), x, out_channels="=ch5x5red", **point, name="branch3_reduce")
    five = net.add(
        conv_relu(), five, out_channels="=ch5x5", kernel_size=5, padding=2, batch_norm="=batch_norm", name="branch3"
    )
    pool = net.add("MaxPool2d", x, kernel_size=3, stride=1, padding=1, name="branch4_pool")
    pool = net.add(conv_relu(), pool, out_channels="=pool_proj", **point, name="branch4")
    net.add("Output", net.add("cat", one, three, five, pool, name="together"))


@block("ChannelNorm", "Layer normalisation over the channels of each pixel (Liu et al. 2022).")
def channel_norm(net: Block) -> None:
    x = net.add("Input", shape=(96, 16, 16))
    x = net.add("permute", x, dims=(0, 2, 3, 1), name="channels_last")
    x = net.add("LayerNorm", x, eps=1e-6, name="norm")
    net.add("Output", net.add("permute", x, dims=(0, 3, 1, 2), name="channels_first"))


@block(
    "ConvNeXtBlock",
    "A wide convolution of each channel, and a feed-forward part as in a transformer (Liu et al. 2022).",
    in_channels=channels(),
    layer_scale=1e-6,
)
def convnext_block(net: Block) -> None:
    skip = x = net.add("Input", shape=(96, 16, 16))
    x = net.add(
        "Conv2d", x, out_channels="=in_channels", kernel_size=7, padding=3, groups="=in_channels", name="dwconv"
    )
    x = net.add("permute", x, dims=(0, 2, 3, 1), name="channels_last")
    x = net.add("LayerNorm", x, eps=1e-6, name="norm")
    x = net.add("Linear", x, out_features="=4 * in_channels", name="pwconv1")
    x = net.add("GELU", x, name="act")
    x = net.add("Linear", x, out_features="=in_channels", name="pwconv2")
    gamma = net.add("Parameter", shape="=(in_channels,)", init="ones", scale="=layer_scale", name="gamma")
    x = net.add("mul", x, gamma, name="scaled")
    x = net.add("permute", x, dims=(0, 3, 1, 2), name="channels_first")
    net.add("Output", net.add("add", skip, x, name="sum"))
