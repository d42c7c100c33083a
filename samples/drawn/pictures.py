"""Networks that look at pictures."""

from __future__ import annotations

from collections.abc import Callable

from deepgui import Network
from deepgui.library import attention, convolution, positions, unet
from deepgui.library.residual import residual
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place

PIXELS = (1, 8, 8)


def shapes_unet() -> Project:
    """Circles, squares and triangles told from their background pixel by pixel: IoU above 0.9."""
    net = Network("shapes_unet")
    x = net.add("Input", shape=(3, 32, 32), name="image", at=place(0, 0))
    one = net.add(unet.double_conv(), x, out_channels=12, batch_norm=True, name="level1", at=place(1, 0))
    two = net.add(unet.unet_down(), one, batch_norm=True, name="level2", at=place(2, 1))
    x = net.add(unet.unet_down(), two, batch_norm=True, name="bottom", at=place(3, 2))
    x = net.add(unet.unet_up(), x, two, batch_norm=True, name="up2", at=place(4, 1))
    x = net.add(unet.unet_up(), x, one, batch_norm=True, name="up1", at=place(5, 0))
    x = net.add("Conv2d", x, out_channels=4, kernel_size=1, name="scores", at=place(6, 0))
    net.add("Output", x, name="classes", at=place(7, 0))
    training = TrainingConfig(
        objective="segmentation",
        objective_options={"dice": 1.0},
        optimizer_options={"lr": 5e-3},
        scheduler="OneCycleLR",
        epochs=12,
        batch_size=16,
    )
    return net.project("Shapes U-Net", data="shapes", training=training)


def digits_resnet() -> Project:
    """Twenty layers in residual units on 8×8 digits; with repeat the same drawing gets as deep as you like."""
    net = residual(20, PIXELS, 10, width=8, name="digits_resnet")
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, scheduler="OneCycleLR", epochs=12, batch_size=32)
    return net.project("Digits ResNet", data="digits", training=training)


def digits_vit() -> Project:
    """A transformer that reads a digit as sixteen squares of 2×2 pixels: 97 % on the test split."""
    net = Network("digits_vit")
    x = net.add("Input", shape=PIXELS, name="image", at=place(0, 0))
    x = net.add(positions.patch_embedding(), x, patch_size=2, embed_dim=32, name="patches", at=place(1, 0))
    x = net.add(positions.learned_positions(), x, name="positions", at=place(2, 0))
    x = net.add(
        attention.encoder_pre_norm(),
        x,
        num_heads=4,
        dim_feedforward=64,
        dropout=0.1,
        repeat=3,
        name="encoder",
        at=place(0, 1),
    )
    x = net.add("LayerNorm", x, name="norm", at=place(1, 1))
    x = net.add("select", x, dim=1, index=0, name="class_token", at=place(2, 1))
    x = net.add("Linear", x, out_features=10, name="scores", at=place(0, 2))
    net.add("Output", x, name="digit", at=place(1, 2))
    training = TrainingConfig(
        optimizer="AdamW",
        optimizer_options={"lr": 4e-3, "weight_decay": 0.1},
        scheduler="OneCycleLR",
        epochs=40,
        batch_size=32,
    )
    return net.project("Digits ViT", data=DataConfig("digits"), training=training)


def shapes_detector() -> Project:
    """Boxes around circles, squares and triangles, told by a grid of 8×8 cells."""
    net = Network("shapes_detector")
    x = net.add("Input", shape=(3, 32, 32), name="image", at=place(0, 0))
    x = net.add(convolution.conv_relu(), x, out_channels=16, batch_norm=True, name="edges", at=place(1, 0))
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool1", at=place(2, 0))
    x = net.add(convolution.conv_relu(), x, out_channels=32, batch_norm=True, name="corners", at=place(0, 1))
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool2", at=place(1, 1))
    x = net.add(convolution.conv_relu(), x, out_channels=64, batch_norm=True, repeat=3, name="shapes", at=place(2, 1))
    x = net.add("Conv2d", x, out_channels=8, kernel_size=1, name="cells", at=place(0, 2))
    net.add("Output", x, name="boxes", at=place(1, 2))
    training = TrainingConfig(
        objective="detection", optimizer_options={"lr": 4e-3}, scheduler="OneCycleLR", epochs=20, batch_size=16
    )
    data = DataConfig("shapes", {"task": "detection", "n": 1000})
    return net.project("Shapes detector", data=data, training=training)


def digits_simclr() -> Project:
    """Digits sorted by what they have in common, without a label."""
    net = Network("digits_simclr")
    x = net.add("Input", shape=PIXELS, name="image", at=place(0, 0))
    for row, channels in enumerate((32, 64)):
        name = f"conv{row + 1}"
        x = net.add(convolution.conv_relu(), x, out_channels=channels, batch_norm=True, name=name, at=place(1, row))
        x = net.add("MaxPool2d", x, kernel_size=2, name=f"pool{row + 1}", at=place(2, row))
    x = net.add("Flatten", x, name="representation", at=place(0, 2))
    x = net.add("Linear", x, out_features=64, name="head1", at=place(1, 2))
    x = net.add("ReLU", x, name="relu", at=place(2, 2))
    x = net.add("Linear", x, out_features=32, name="head2", at=place(1, 3))
    net.add("Output", x, name="embedding", at=place(2, 3))
    training = TrainingConfig(
        objective="contrastive",
        objective_options={"temperature": 0.2, "shift": 0.1, "erase": 0.3},
        optimizer_options={"lr": 2e-3},
        scheduler="OneCycleLR",
        epochs=30,
        batch_size=128,
    )
    return net.project("Digits SimCLR", data="digits", training=training)


SAMPLES: dict[str, Callable[[], Project]] = {
    "shapes_unet": shapes_unet,
    "shapes_detector": shapes_detector,
    "digits_resnet": digits_resnet,
    "digits_vit": digits_vit,
    "digits_simclr": digits_simclr,
}
