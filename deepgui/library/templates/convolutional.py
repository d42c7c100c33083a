"""Convolutional networks that classify pictures."""

from __future__ import annotations

from collections.abc import Sequence

from deepgui.builder import Block, Handle, Network
from deepgui.library import convolution as blocks
from deepgui.library.drawing import Settings
from deepgui.library.templates.catalogue import published
from deepgui.project.values import Project

COLORS = 3


@published(
    "LeNet-5", 61_706, "Two convolutions and three linear layers that read handwritten digits (LeCun et al. 1998)."
)
def lenet5(image: int = 28, classes: int = 10) -> Project:
    net = Network("LeNet5")
    x = net.add("Input", shape=(1, image, image), name="image")
    for number, channels, padding in ((1, 6, 2), (2, 16, 0)):
        x = net.add("Conv2d", x, out_channels=channels, kernel_size=5, padding=padding, name=f"conv{number}")
        x = net.add("Tanh", x, name=f"tanh{number}")
        x = net.add("AvgPool2d", x, kernel_size=2, name=f"pool{number}")
    x = net.add("Flatten", x, name="flatten")
    for number, features in ((3, 120), (4, 84)):
        x = net.add("Linear", x, out_features=features, name=f"fc{number}")
        x = net.add("Tanh", x, name=f"tanh{number}")
    net.add("Output", net.add("Linear", x, out_features=classes, name="fc5"), name="digit")
    return net.project("LeNet-5")


@published(
    "AlexNet", 61_100_840, "Five convolutions and three linear layers that won ImageNet (Krizhevsky et al. 2012, 2014)."
)
def alexnet(image: int = 224, classes: int = 1000, features: int = 4096) -> Project:
    net = Network("AlexNet")
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    rows = (
        (64, 11, 4, 2, True),
        (192, 5, 1, 2, True),
        (384, 3, 1, 1, False),
        (256, 3, 1, 1, False),
        (256, 3, 1, 1, True),
    )
    for number, (channels, kernel, stride, padding, pooled) in enumerate(rows, 1):
        x = net.add(
            blocks.conv_relu(),
            x,
            out_channels=channels,
            kernel_size=kernel,
            stride=stride,
            padding=padding,
            name=f"conv{number}",
        )
        if pooled:
            x = net.add("MaxPool2d", x, kernel_size=3, stride=2, name=f"pool{number}")
    x = net.add("AdaptiveAvgPool2d", x, output_size=6, name="avgpool")
    net.add("Output", _classifier(net, net.add("Flatten", x, name="flatten"), features, classes, first=True))
    return net.project("AlexNet")


@published("VGG-16", 138_357_544, "Thirteen 3×3 convolutions and three linear layers (Simonyan and Zisserman 2014).")
def vgg16(image: int = 224, classes: int = 1000, features: int = 4096) -> Project:
    net = Network("VGG16")
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    for number, (channels, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        x = net.add(blocks.conv_relu(), x, out_channels=channels, repeat=depth, name=f"stage{number}")
        x = net.add("MaxPool2d", x, kernel_size=2, name=f"pool{number}")
    x = net.add("AdaptiveAvgPool2d", x, output_size=7, name="avgpool")
    net.add("Output", _classifier(net, net.add("Flatten", x, name="flatten"), features, classes))
    return net.project("VGG-16")


def _classifier(net: Network, x: Handle, features: int, classes: int, *, first: bool = False) -> Handle:
    """The three linear layers of AlexNet and VGG, with dropout before the first two or behind them."""
    for number in (6, 7):
        x = net.add("Dropout", x, name=f"drop{number}") if first else x
        x = net.add("Linear", x, out_features=features, name=f"fc{number}")
        x = net.add("ReLU", x, name=f"relu{number}")
        x = x if first else net.add("Dropout", x, name=f"drop{number}")
    return net.add("Linear", x, out_features=classes, name="fc8")


@published(
    "ResNet-18", 11_689_512, "Eight residual units between one convolution and one linear layer (He et al. 2015)."
)
def resnet18(image: int = 224, classes: int = 1000, width: int = 64) -> Project:
    return _resnet("ResNet-18", blocks.residual_basic(), "out_channels", (2, 2, 2, 2), width, image, classes)


@published(
    "ResNet-50", 25_557_032, "Sixteen bottleneck units between one convolution and one linear layer (He et al. 2015)."
)
def resnet50(image: int = 224, classes: int = 1000, width: int = 64) -> Project:
    return _resnet("ResNet-50", blocks.bottleneck(), "width", (3, 4, 6, 3), width, image, classes)


def _resnet(name: str, unit: Block, size: str, depths: Sequence[int], width: int, image: int, classes: int) -> Project:
    net = Network(name.replace("-", ""))
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    x = net.add("Conv2d", x, out_channels=width, kernel_size=7, stride=2, padding=3, bias=False, name="conv1")
    x = net.add("BatchNorm2d", x, name="bn1")
    x = net.add("ReLU", x, name="relu")
    x = net.add("MaxPool2d", x, kernel_size=3, stride=2, padding=1, name="maxpool")
    for number, depth in enumerate(depths, 1):
        settings: Settings = {size: width * 2 ** (number - 1), "repeat": depth, "stride": "=2 if index == 0 else 1"}
        if number == 1:
            del settings["stride"]
        x = net.add(unit, x, **settings, name=f"layer{number}")
    net.add("Output", _pooled(net, x, classes), name="scores")
    return net.project(name)


def _pooled(net: Network, x: Handle, classes: int, *, dropout: float = 0.0) -> Handle:
    """The mean over each channel, and one linear layer."""
    x = net.add("AdaptiveAvgPool2d", x, output_size=1, name="avgpool")
    x = net.add("Flatten", x, name="flatten")
    x = net.add("Dropout", x, p=dropout, name="dropout") if dropout else x
    return net.add("Linear", x, out_features=classes, name="classifier" if dropout else "fc")


@published("MobileNetV2", 3_504_872, "Seventeen inverted residuals, small enough for a phone (Sandler et al. 2018).")
def mobilenet_v2(image: int = 224, classes: int = 1000) -> Project:
    net = Network("MobileNetV2")
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    x = net.add(blocks.conv_norm_relu6(), x, out_channels=32, stride=2, name="stem")
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for number, (expand, channels, depth, stride) in enumerate(rows, 1):
        x = net.add(
            blocks.inverted_residual(),
            x,
            out_channels=channels,
            expand_ratio=expand,
            stride=1 if stride == 1 else "=2 if index == 0 else 1",
            repeat=depth,
            name=f"stage{number}",
        )
    x = net.add(blocks.conv_norm_relu6(), x, out_channels=1280, kernel_size=1, name="head")
    net.add("Output", _pooled(net, x, classes, dropout=0.2), name="scores")
    return net.project("MobileNetV2")


@published(
    "DenseNet-121", 7_978_856, "Four dense blocks in which every layer sees all earlier ones (Huang et al. 2016)."
)
def densenet121(image: int = 224, classes: int = 1000, growth_rate: int = 32) -> Project:
    net = Network("DenseNet121")
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    x = net.add("Conv2d", x, out_channels=2 * growth_rate, kernel_size=7, stride=2, padding=3, bias=False, name="conv0")
    x = net.add("BatchNorm2d", x, name="norm0")
    x = net.add("ReLU", x, name="relu0")
    x = net.add("MaxPool2d", x, kernel_size=3, stride=2, padding=1, name="pool0")
    for number, depth in enumerate((6, 12, 24, 16), 1):
        x = net.add(blocks.dense_layer(), x, growth_rate=growth_rate, repeat=depth, name=f"denseblock{number}")
        if number < 4:
            x = net.add(blocks.dense_transition(), x, name=f"transition{number}")
    x = net.add("BatchNorm2d", x, name="norm5")
    x = net.add("ReLU", x, name="relu5")
    net.add("Output", _pooled(net, x, classes), name="scores")
    return net.project("DenseNet-121")


@published(
    "ConvNeXt-T",
    28_589_128,
    "A ResNet with what transformers taught: wide kernels, few norms, GELU (Liu et al. 2022).",
)
def convnext_tiny(image: int = 224, classes: int = 1000, width: int = 96) -> Project:
    """Without stochastic depth, which changes nothing in the trained network."""
    net = Network("ConvNeXtT")
    x = net.add("Input", shape=(COLORS, image, image), name="image")
    x = net.add("Conv2d", x, out_channels=width, kernel_size=4, stride=4, name="stem")
    x = net.add(blocks.channel_norm(), x, name="stem_norm")
    for number, depth in enumerate((3, 3, 9, 3)):
        if number:
            x = net.add(blocks.channel_norm(), x, name=f"norm{number}")
            size = width * 2**number
            x = net.add("Conv2d", x, out_channels=size, kernel_size=2, stride=2, name=f"downsample{number}")
        x = net.add(blocks.convnext_block(), x, repeat=depth, name=f"stage{number}")
    x = net.add("AdaptiveAvgPool2d", x, output_size=1, name="avgpool")
    x = net.add("LayerNorm", net.add("Flatten", x, name="flatten"), eps=1e-6, name="norm")
    net.add("Output", net.add("Linear", x, out_features=classes, name="head"), name="scores")
    return net.project("ConvNeXt-T")
